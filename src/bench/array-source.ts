import type { SourceRecord } from "../cdc/change.ts";
import type { Source, SourceBatch } from "../ingest/source.ts";
import { bell } from "./bell.ts";

/** Records handed out in batches, once; and, between batches, whatever is pushed while it is open. */
export interface ArraySource extends Source {
  /** Hands these out as the next batch. */
  push(records: readonly SourceRecord[]): void;
  /** No more: `next` answers null once everything was handed out. */
  end(): void;
}

const PARTITION = { topic: "bench", partition: 0 } as const;

/** A source over arrays; the records it begins with come in batches of `batchSize`. */
export function arraySource(records: readonly SourceRecord[], batchSize: number): ArraySource {
  const waiting: (readonly SourceRecord[])[] = [];
  for (let start = 0; start < records.length; start += batchSize)
    waiting.push(records.slice(start, start + batchSize));
  let handed = 0;
  let ended = false;
  const pushed = bell();
  const take = (): readonly SourceBatch[] => {
    const part = waiting.shift() ?? [];
    handed += part.length;
    const bytes = part.reduce((sum, { key, value }) => sum + (key?.length ?? 0) + (value?.length ?? 0), 0);
    return [{ ...PARTITION, records: part, nextOffset: String(handed), bytes }];
  };
  return {
    push(records) {
      waiting.push(records);
      pushed.ring();
    },
    end() {
      ended = true;
      pushed.ring();
    },
    start: () => Promise.resolve(),
    async next(signal) {
      while (waiting.length === 0) {
        if (ended || signal.aborted) return null;
        await pushed.heard(signal);
      }
      return take();
    },
    acknowledge: () => Promise.resolve(),
    unreadable: () => [],
    lag: () => Promise.resolve([]),
    close: () => Promise.resolve(),
  };
}
