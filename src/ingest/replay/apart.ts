import type { SourceRecord } from "../../cdc/change.ts";
import { samePartition } from "../../cdc/partition.ts";
import type { Checkpoint, Source, SourceBatch, Unreadable } from "../source.ts";
import { under } from "./progress.ts";

/** How a source is read apart from live reading. */
export interface Apart {
  /** Begins the names of its progress. */
  readonly prefix: string;
  /** Where partitions begin of which there is no progress. */
  readonly starts: readonly Checkpoint[];
  /** Which records are meant. Others are passed over, and count as done with. */
  readonly keeps: (record: SourceRecord) => boolean;
  /** Told how many of the records that were delivered were meant. */
  readonly delivered: (count: number) => void;
  /** Told of everything the source could not read, as it is found. */
  readonly unread: (found: Unreadable) => void;
  /** Told how far partitions are, by the names the source knows, each time it was stored. */
  readonly stored: (checkpoints: readonly Checkpoint[]) => void;
}

/**
 * A source whose progress goes by other names than that of live reading: so neither moves the other's, in the same store.
 * Records keep their coordinates, which is what makes duplicates of those read before.
 */
export function apart(source: Source, { prefix, starts, keeps, ...tell }: Apart): Source {
  const renamed = (batch: SourceBatch): SourceBatch => {
    const records = batch.records.filter(keeps);
    tell.delivered(records.length);
    return { ...batch, topic: prefix + batch.topic, records };
  };
  return {
    start: (checkpoints) =>
      source.start(async () => {
        const done = under(await checkpoints(), prefix);
        return [...done, ...starts.filter((start) => !done.some((one) => samePartition(one, start)))];
      }),
    next: async (signal) => (await source.next(signal))?.map(renamed) ?? null,
    acknowledge: (checkpoints) => {
      const done = under(checkpoints, prefix);
      tell.stored(done);
      return source.acknowledge(done);
    },
    unreadable: () => {
      const found = source.unreadable();
      found.forEach(tell.unread);
      return found;
    },
    lag: () => source.lag(),
    close: () => source.close(),
  };
}
