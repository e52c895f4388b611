import type { SourceRecord } from "../cdc/change.ts";
import type { Source, SourceBatch } from "../ingest/source.ts";
import { createBell } from "../ingest/waiting/bell.ts";

/** Hands records out in batches, once: those it begins with, and what is pushed while it is open. */
export interface ArraySource extends Source {
  push(records: readonly SourceRecord[]): void;
  /** No more: `next` answers null once everything was handed out. */
  end(): void;
}

const PARTITION = { topic: "bench", partition: 0 } as const;

/** A source over arrays; a batch is whatever there is, up to `batchSize` records. */
export function arraySource(records: readonly SourceRecord[], batchSize: number): ArraySource {
  let waiting = [...records];
  let at = 0;
  let handed = 0;
  let ended = false;
  const pushed = createBell();
  const take = (): readonly SourceBatch[] => {
    const part = waiting.slice(at, at + batchSize);
    at += part.length;
    handed += part.length;
    const bytes = part.reduce((sum, { key, value }) => sum + (key?.length ?? 0) + (value?.length ?? 0), 0);
    return [{ ...PARTITION, records: part, nextOffset: String(handed), bytes }];
  };
  return {
    push(more) {
      waiting = [...waiting.slice(at), ...more];
      at = 0;
      pushed.ring();
    },
    end() {
      ended = true;
      pushed.ring();
    },
    start: () => Promise.resolve(),
    async next(signal) {
      while (at === waiting.length) {
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
