import { partitionName } from "../../cdc/partition.ts";
import type { Checkpoint, SourceBatch } from "../source.ts";

/**
 * How far each partition is done with.
 *
 * Naively one would store a batch's end as soon as the batch is done. But a checkpoint says that *everything* below it is
 * done: with several batches of a partition under way, one that finishes early would vouch for those before it, and a crash
 * would lose them. So only the contiguous done prefix counts, and it is stored with the next save *after* its updates were
 * published, so that a redelivery stands behind everything unpublished.
 */
export interface Acknowledgements {
  /** Notes a batch as under way. Batches of a partition are tracked in their order. */
  track(batch: SourceBatch): void;
  /** The batch is saved and its updates are published. */
  done(batch: SourceBatch): void;
  /** Prefixes that are done and not yet stored. */
  ready(): readonly Checkpoint[];
  /** These are stored: tells the source. */
  stored(checkpoints: readonly Checkpoint[]): Promise<void>;
}

interface Partition {
  readonly underWay: SourceBatch[];
  readonly done: Set<SourceBatch>;
  prefix: Checkpoint | null;
}

/** `onCommit` is told of each stored prefix. */
export function createAcknowledgements(
  onCommit: (checkpoints: readonly Checkpoint[]) => Promise<void>,
): Acknowledgements {
  const partitions = new Map<string, Partition>();
  const partitionOf = (batch: SourceBatch): Partition => {
    const found = partitions.get(partitionName(batch));
    if (found !== undefined) return found;
    const made: Partition = { underWay: [], done: new Set(), prefix: null };
    partitions.set(partitionName(batch), made);
    return made;
  };
  return {
    track: (batch) => {
      partitionOf(batch).underWay.push(batch);
    },
    done: (batch) => {
      const partition = partitionOf(batch);
      partition.done.add(batch);
      for (let [first] = partition.underWay; first !== undefined; [first] = partition.underWay) {
        if (!partition.done.delete(first)) return;
        partition.underWay.shift();
        const { topic, partition: number, nextOffset } = first;
        partition.prefix = { topic, partition: number, nextOffset };
      }
    },
    ready: () => [...partitions.values()].flatMap(({ prefix }) => (prefix === null ? [] : [prefix])),
    stored: async (checkpoints) => {
      for (const checkpoint of checkpoints) {
        const partition = partitions.get(partitionName(checkpoint));
        if (partition === undefined || partition.prefix !== checkpoint) continue;
        partition.prefix = null;
        if (partition.underWay.length === 0) partitions.delete(partitionName(checkpoint));
      }
      if (checkpoints.length > 0) await onCommit(checkpoints);
    },
  };
}
