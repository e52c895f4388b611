import type { SourceRecord } from "../cdc/change.ts";
import type { Clock } from "../clock.ts";
import type { Source, SourceBatch } from "../ingest/source.ts";
import { bank, type Bank } from "./bank.ts";
import { guardJournal, openJournal, type BankSettings, type Journal } from "./journal.ts";

/** Where the bank lives, and how fast. */
export interface DemoSourceOptions extends BankSettings {
  /** The journal's file; the bank goes on from it after a restart. */
  readonly path: string;
  readonly clock: Clock;
}

/** The source's one unit of progress; its offsets are slots of the bank. */
const PARTITION = { topic: "demo:bank", partition: 0 } as const;

/** Small enough that a batch's work does not keep a query waiting. */
const MAX_BATCH_BYTES = 256_000;

/** Slots closer together than this travel in one batch. */
const TICK_MS = 10;

function bytesOf(records: readonly SourceRecord[]): number {
  return records.reduce((sum, { key, value }) => sum + (key?.length ?? 0) + (value?.length ?? 0), 0);
}

/** Slots `from` up to `to`, exclusive, or fewer when they grow too large. */
function batchOf(life: Bank, from: number, to: number): SourceBatch {
  const records: SourceRecord[] = [];
  let slot = from;
  let bytes = 0;
  while (slot < to && bytes < MAX_BATCH_BYTES) {
    const made = life.records(slot++);
    records.push(...made);
    bytes += bytesOf(made);
  }
  return { ...PARTITION, records, nextOffset: String(slot), bytes };
}

/**
 * The demo bank as a source: its snapshot at once, then its life at the pace of the clock. What happened while ingest was
 * slow waits as lag; what was delivered and not acknowledged is made again, byte for byte, after a restart.
 */
export function demoSource(options: DemoSourceOptions): Source {
  const { clock, path } = options;
  guardJournal(path, options);
  const closed = new AbortController();
  let life: { readonly journal: Journal; readonly bank: Bank } | null = null;
  let next = 0;

  const wait = async (ms: number, signal: AbortSignal) =>
    clock.wait(Math.max(TICK_MS, ms), AbortSignal.any([signal, closed.signal]));

  return {
    async start(checkpoints) {
      const journal = openJournal(path, options, clock.nowMs());
      const { startMs, timeline } = journal;
      life = { journal, bank: bank({ seed: options.seed, customers: options.customers, startMs, timeline }) };
      const mine = (await checkpoints()).find(({ topic }) => topic === PARTITION.topic);
      next = Number(mine?.nextOffset ?? 0);
    },
    async next(signal) {
      if (life === null) throw new Error("demo: next before start");
      const { journal } = life;
      while (!closed.signal.aborted && !signal.aborted) {
        const due = journal.timeline.upTo(clock.nowMs());
        if (due > next) {
          const batch = batchOf(life.bank, next, due);
          next = Number(batch.nextOffset);
          journal.reserve(next);
          return [batch];
        }
        await wait(journal.timeline.ms(next) - clock.nowMs(), signal);
      }
      return closed.signal.aborted ? null : [];
    },
    acknowledge: () => Promise.resolve(),
    unreadable: () => [],
    lag() {
      if (life === null) return Promise.resolve([]);
      const due = life.journal.timeline.upTo(clock.nowMs());
      return Promise.resolve([{ ...PARTITION, behind: String(Math.max(0, due - next)) }]);
    },
    close() {
      closed.abort();
      return Promise.resolve();
    },
  };
}
