import type { Origin, SourceRecord } from "../cdc/change.ts";

/**
 * Records of one partition of the source, in its order. The partition is the source's own unit of progress: for Kafka the
 * records' partition, for files the file (topic `file:<path>#<hash of its head>`), whose records carry the
 * coordinates they were captured with.
 */
export interface SourceBatch {
  readonly topic: string;
  readonly partition: number;
  readonly records: readonly SourceRecord[];
  /** Where the partition goes on once this batch is done with: what a checkpoint says. */
  readonly nextOffset: string;
  /** Bytes of keys and values, for backpressure. */
  readonly bytes: number;
}

/** Where a source goes on: the first offset not yet acknowledged, per topic and partition. */
export interface Checkpoint {
  readonly topic: string;
  readonly partition: number;
  readonly nextOffset: string;
}

/** Asks the store for the checkpoints as they are now. */
export type Checkpoints = () => Promise<readonly Checkpoint[]>;

/** Something the source could not read at all (a corrupt file): goes to quarantine, the rest goes on. */
export interface Unreadable {
  readonly origin: Origin;
  readonly reason: string;
  readonly bytes: Uint8Array | null;
}

/** How far a source is behind. */
export interface Lag {
  readonly topic: string;
  readonly partition: number;
  /** Records (or for files, bytes) known but not yet delivered; decimal text. */
  readonly behind: string;
}

/**
 * PORT. Brings records in. Promises, kept by every adapter and held by `test/contract/source.contract.ts`:
 * - batches of a partition arrive in its order; what was not acknowledged is delivered again after a restart;
 * - `acknowledge` takes contiguous prefixes only (remembered/acknowledgements.ts makes them) and may be called late or never;
 * - at most one batch per partition is out at a time when `next` is awaited one after the other; memory stays bounded;
 * - a `next` that throws (`SOURCE_UNAVAILABLE`: an outage) has delivered nothing and passed over nothing; it may be called again;
 * - `close` is idempotent and settles pending calls of `next` with null within its deadline.
 */
export interface Source {
  /**
   * Begins where the checkpoints say; a partition without one begins at its start. They are asked for whenever partitions are taken
   * up, not only now: a partition that another process had meanwhile goes on where that process stored it to be.
   */
  start(checkpoints: Checkpoints): Promise<void>;
  /**
   * The next batches, as many partitions as are ready, bounded in bytes; waits for some.
   * Null when the source has ended or closed.
   */
  next(signal: AbortSignal): Promise<readonly SourceBatch[] | null>;
  /** Everything below `nextOffset` of these partitions is done with. */
  acknowledge(checkpoints: readonly Checkpoint[]): Promise<void>;
  /** Things found unreadable since the last call. */
  unreadable(): readonly Unreadable[];
  lag(): Promise<readonly Lag[]>;
  close(): Promise<void>;
}
