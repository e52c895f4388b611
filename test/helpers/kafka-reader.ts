import type { SourceRecord } from "../../src/cdc/change.ts";
import type { KafkaSource } from "../../src/ingest/kafka/source.ts";
import type { Checkpoint, SourceBatch, Unreadable } from "../../src/ingest/source.ts";

/** The checkpoints of a store: shared by all readers, never going backwards. */
export interface Ledger {
  readonly list: () => Promise<readonly Checkpoint[]>;
  keep(checkpoints: readonly Checkpoint[]): void;
  at(topic: string, partition: number): string | null;
}

/** An empty ledger. */
export function ledger(): Ledger {
  const kept = new Map<string, Checkpoint>();
  const nameOf = ({ topic, partition }: Pick<Checkpoint, "topic" | "partition">) => `${topic}/${partition}`;
  return {
    list: () => Promise.resolve([...kept.values()]),
    keep: (checkpoints) => {
      for (const one of checkpoints)
        if (BigInt(one.nextOffset) >= BigInt(kept.get(nameOf(one))?.nextOffset ?? 0))
          kept.set(nameOf(one), one);
    },
    at: (topic, partition) => kept.get(nameOf({ topic, partition }))?.nextOffset ?? null,
  };
}

/** Reads as the pipeline does: works on what comes, stores how far it got, acknowledges. */
export interface Reader {
  readonly records: readonly SourceRecord[];
  readonly batches: readonly SourceBatch[];
  readonly unreadable: readonly Unreadable[];
  /** Failures of `next` met on the way. */
  readonly failures: readonly Error[];
  /** Reads on until so many records were read, or the condition holds. Fails after 20 s. */
  until(enough: (reader: Reader) => boolean | Promise<boolean>): Promise<void>;
  /** Reads in the background until stopped. */
  run(): { stop(): Promise<void> };
}

/** A reader of a started source. Outages are met by asking again. */
export function reader(source: KafkaSource, kept: Ledger): Reader {
  const records: SourceRecord[] = [];
  const batches: SourceBatch[] = [];
  const unreadable: Unreadable[] = [];
  const failures: Error[] = [];
  const step = async (signal: AbortSignal): Promise<boolean> => {
    try {
      const found = await source.next(signal);
      if (found === null) return false;
      batches.push(...found);
      records.push(...found.flatMap((batch) => batch.records));
      unreadable.push(...source.unreadable());
      const checkpoints = found.map(({ topic, partition, nextOffset }) => ({ topic, partition, nextOffset }));
      kept.keep(checkpoints);
      await source.acknowledge(checkpoints);
      return true;
    } catch (error) {
      failures.push(error as Error);
      await new Promise((resolve) => setTimeout(resolve, 50));
      return true;
    }
  };
  const self: Reader = {
    records,
    batches,
    unreadable,
    failures,
    until: async (enough) => {
      const deadline = AbortSignal.timeout(30_000);
      while (!(await enough(self))) {
        const soon = AbortSignal.any([deadline, AbortSignal.timeout(200)]);
        await step(soon);
        if (deadline.aborted)
          throw new Error(`not enough came: ${records.length} records, failures: ${failures.join("; ")}`);
      }
    },
    run: () => {
      const stopping = new AbortController();
      const running = (async () => {
        while (!stopping.signal.aborted) await step(stopping.signal);
      })();
      return {
        stop: async () => {
          stopping.abort();
          await running;
        },
      };
    },
  };
  return self;
}

/** The values of records, as text. */
export function values(records: readonly SourceRecord[]): string[] {
  return records.map(({ value }) => Buffer.from(value ?? []).toString());
}
