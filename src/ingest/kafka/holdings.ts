import { partitionName, type TopicPartition } from "../../cdc/partition.ts";
import type { Group } from "./group.ts";
import type { KafkaHolding } from "./holding.ts";
import type { Lag, SourceBatch } from "../source.ts";

/** The partitions that are ours, and how much of what they bring may wait. */
export class KafkaHoldings {
  readonly #all = new Map<string, KafkaHolding>();
  /** Partitions passed over for want of room, the longest waiting first: so they are served. */
  readonly #owed = new Set<KafkaHolding>();
  readonly #queueBytes: number;

  /** `queueBytes`: bytes that may wait, over all partitions. */
  constructor(queueBytes: number) {
    this.#queueBytes = queueBytes;
  }

  /** None is ours any more; what was fetched is dropped, and comes again to whoever takes the partition up. */
  clear(): void {
    this.#all.clear();
    this.#owed.clear();
  }

  add(holding: KafkaHolding): void {
    this.#all.set(partitionName(holding), holding);
  }

  find(partition: TopicPartition): KafkaHolding | null {
    return this.#all.get(partitionName(partition)) ?? null;
  }

  list(): readonly KafkaHolding[] {
    return [...this.#all.values()];
  }

  /**
   * One batch of as many partitions as are ready, up to so many bytes together, but each at least one record. Each has an equal share,
   * and what the small ones leave goes to the large.
   */
  take(maxBytes: number): readonly SourceBatch[] {
    const owed = [...this.#owed].filter((holding) => holding.isReady);
    const others = this.list().filter((holding) => holding.isReady && !this.#owed.has(holding));
    const ready = [...owed, ...others.sort((a, b) => a.bytes - b.bytes)];
    const batches: SourceBatch[] = [];
    let room = maxBytes;
    for (const [at, holding] of ready.entries()) {
      const taken = room > 0 ? holding.take(Math.ceil(room / (ready.length - at))) : null;
      if (taken === null) {
        this.#owed.add(holding);
        continue;
      }
      this.#owed.delete(holding);
      const { name, records, next, bytes } = taken;
      room -= bytes;
      batches.push({
        topic: name,
        partition: holding.partition,
        records,
        nextOffset: next.toString(),
        bytes,
      });
    }
    return batches;
  }

  /** Pauses a partition that has more waiting than its share. */
  restrain(holding: KafkaHolding, group: Group): void {
    if (holding.isPaused || holding.bytes < this.#share) return;
    holding.isPaused = true;
    group.pause([holding]);
  }

  /** Lets partitions bring more whose records were delivered meanwhile. */
  release(group: Group): void {
    const free = this.list().filter(
      (holding) => holding.isPaused && holding.doubts === null && holding.bytes * 2 <= this.#share,
    );
    if (free.length === 0) return;
    for (const holding of free) holding.isPaused = false;
    group.resume(free);
  }

  lag(): readonly Lag[] {
    return this.list()
      .filter(({ behind }) => behind > 0n)
      .map(({ name, partition, behind }) => ({ topic: name, partition, behind: behind.toString() }));
  }

  get #share(): number {
    return this.#queueBytes / Math.max(1, this.#all.size);
  }
}
