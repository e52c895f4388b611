import type { TopicPartition } from "../../cdc/partition.ts";
import type { Fetched } from "./group.ts";
import { progressName, type Committed, type Start } from "./position.ts";
import { witnessOf, type Proof } from "./witness.ts";
import { KafkaQueue, type Taken } from "./queue.ts";

/** What of a fetch fits: it follows what we have, or there is doubt about it. */
export type Fit = "follows" | "doubtful";

/** Where something delivered ended. */
interface End {
  readonly name: string;
  readonly next: bigint;
  readonly witness: string;
}

/** A partition that is ours: how far it was fetched, delivered and acknowledged, and what waits in between. */
export class KafkaHolding implements TopicPartition {
  readonly topic: string;
  readonly partition: number;
  readonly #queue = new KafkaQueue();
  #life: number;
  /** Where the next fetch goes on. */
  #fetched: bigint;
  #delivered: bigint;
  #acknowledged: bigint;
  /** Committed to the group. */
  #committed: bigint;
  /** What was delivered last and not acknowledged yet, and the last that was: where it ended, and with what record. */
  #ends: readonly End[] = [];
  #witness: string | null = null;
  /** Where the partition ended when it was taken up. */
  #target: bigint;
  /** Where it ended when we last heard. */
  high: bigint;
  isPaused = true;
  /** Fetches that wait for somebody to find out whether records were lost before the first of them; null while there is no doubt. */
  doubts: Fetched[] | null = null;
  /** Has to hold before anything is taken; null once it does, or when there is none. */
  proof: Proof | null = null;

  constructor({ topic, partition }: TopicPartition, start: Start, high: bigint) {
    this.topic = topic;
    this.partition = partition;
    this.#life = start.life;
    this.#fetched = this.#delivered = this.#acknowledged = this.#committed = start.offset;
    this.high = this.#target = high;
  }

  /** The name of its progress. */
  get name(): string {
    return progressName(this.topic, this.#life);
  }

  get life(): number {
    return this.#life;
  }

  get fetched(): bigint {
    return this.#fetched;
  }

  /** Bytes fetched and not delivered. */
  get bytes(): number {
    return this.#queue.bytes;
  }

  get isReady(): boolean {
    return !this.#queue.isEmpty;
  }

  /** Records known and not delivered. */
  get behind(): bigint {
    return this.high > this.#delivered ? this.high - this.#delivered : 0n;
  }

  /** True once what there was when it was taken up is done with. */
  get isCaughtUp(): boolean {
    return this.#acknowledged >= this.#target;
  }

  /** True once all there was when it was taken up was delivered. */
  get isAtEnd(): boolean {
    return this.#delivered >= this.#target;
  }

  /** Whether a fetch follows what we have. */
  fit({ first }: Fetched): Fit {
    return first === null || first === this.#fetched ? "follows" : "doubtful";
  }

  /** Takes a fetch as what comes next. */
  push({ records, next, high }: Fetched): void {
    if (next > this.#fetched) this.#fetched = next;
    this.high = high;
    this.#queue.push({ name: this.name, records, next: this.#fetched });
  }

  /** Delivers records up to so many bytes; null when none wait. */
  take(maxBytes: number): Taken | null {
    const taken = this.#queue.take(maxBytes);
    if (taken === null) return null;
    this.#delivered = taken.next;
    const last = taken.records.at(-1);
    if (last !== undefined && BigInt(last.offset) + 1n === taken.next)
      this.#ends = [...this.#ends, { name: taken.name, next: taken.next, witness: witnessOf(last) }];
    return taken;
  }

  /** Goes on elsewhere: behind what was removed, or at the start of another topic under the same name. */
  moveTo({ life, offset }: Start, high: bigint): void {
    this.high = this.#target = high;
    this.#life = life;
    this.#fetched = offset;
    if (!this.isReady) this.#delivered = offset;
    this.#acknowledged = this.#committed = offset;
    this.#witness = null;
  }

  /** Everything below this offset of this progress is done with. */
  acknowledge(name: string, nextOffset: bigint): void {
    if (name !== this.name || nextOffset <= this.#acknowledged) return;
    this.#acknowledged = nextOffset;
    const isHere = (end: End) => end.name === name && end.next === nextOffset;
    this.#witness = this.#ends.find(isHere)?.witness ?? null;
    this.#ends = this.#ends.filter((end) => end.name === name && end.next > nextOffset);
  }

  /** What the group should know and does not; null when it does. It counts as known from now on. */
  takeCommit(): Committed | null {
    if (this.#acknowledged === this.#committed) return null;
    this.#committed = this.#acknowledged;
    return this.asCommitted();
  }

  /** Where we are, for the group. */
  asCommitted(): Committed {
    const { topic, partition, life } = this;
    return { topic, partition, life, offset: this.#acknowledged, witness: this.#witness };
  }
}
