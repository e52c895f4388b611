import type { SourceRecord } from "../../cdc/change.ts";

/** Consecutive records of a partition. */
export interface Chunk {
  /** The name of the progress they belong to. */
  readonly name: string;
  readonly records: readonly SourceRecord[];
  /** Where the partition goes on behind them: past markers and holes too. */
  readonly next: bigint;
}

/** What was taken out of a queue. */
export interface Taken extends Chunk {
  readonly bytes: number;
}

/** Bytes of a record's key and value. */
export function bytesOf({ key, value }: SourceRecord): number {
  return (key?.length ?? 0) + (value?.length ?? 0);
}

/** Fetched and not yet delivered records of one partition, in its order. */
export class KafkaQueue {
  readonly #chunks: Chunk[] = [];
  /** How many records of the first chunk were taken. */
  #at = 0;
  #bytes = 0;

  /** Bytes of keys and values waiting. */
  get bytes(): number {
    return this.#bytes;
  }

  get isEmpty(): boolean {
    return this.#chunks.length === 0;
  }

  /** Appends what was fetched. */
  push(chunk: Chunk): void {
    this.#chunks.push(chunk);
    for (const record of chunk.records) this.#bytes += bytesOf(record);
  }

  /** Records of one name up to so many bytes, but at least one; null when nothing waits. A chunk without records is taken as what it is: progress. */
  take(maxBytes: number): Taken | null {
    const [first] = this.#chunks;
    if (first === undefined) return null;
    const records: SourceRecord[] = [];
    let bytes = 0;
    let next = first.next;
    for (let [chunk] = this.#chunks; chunk?.name === first.name; [chunk] = this.#chunks) {
      const record = chunk.records[this.#at];
      if (record === undefined) {
        next = chunk.next;
        this.#chunks.shift();
        this.#at = 0;
        continue;
      }
      const size = bytesOf(record);
      if (records.length > 0 && bytes + size > maxBytes) break;
      records.push(record);
      bytes += size;
      next = BigInt(record.offset) + 1n;
      this.#at += 1;
    }
    this.#bytes -= bytes;
    return { name: first.name, records, next, bytes };
  }
}
