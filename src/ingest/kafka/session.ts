import { partitionName, samePartition, type TopicPartition } from "../../cdc/partition.ts";
import type { Clock } from "../../clock.ts";
import { Customer360Error } from "../../errors.ts";
import { isRebalancing, kafkaFailure, ofKafka } from "./client/errors.ts";
import type { Fetched, Group, GroupEars, KafkaClient, KafkaLimits } from "./group.ts";
import { KafkaHolding } from "./holding.ts";
import { KafkaHoldings } from "./holdings.ts";
import {
  readProgressName,
  startOf,
  type Committed,
  type Discontinuity,
  type Marks,
  type Start,
} from "./position.ts";
import { isRefuted, proofOfPlace, type Proof } from "./witness.ts";
import type { Checkpoint, Checkpoints, Lag, SourceBatch, Unreadable } from "../source.ts";

/** The longest that asking for lag waits for brokers, milliseconds. */
const LOOK_MS = 2_000;

/** What a session is told, and whom it tells. */
export interface SessionParts {
  readonly client: KafkaClient;
  readonly topics: readonly string[];
  readonly checkpoints: Checkpoints;
  readonly clock: Clock;
  readonly limits: KafkaLimits;
  /** Called whenever there may be something to take, or it failed. */
  readonly changed: () => void;
  /** Called whenever the group has handed us partitions. */
  readonly assigned: () => void;
  readonly declared: (discontinuity: Discontinuity) => void;
  readonly unread: (found: Unreadable) => void;
  /** What this process knows of partitions from earlier, by name: the group may have been told less, or lost it. */
  readonly remembered: Map<string, Committed>;
}

/**
 * One membership in the group, from joining to leaving or failing.
 *
 * The client library hands over what it fetched and is never kept waiting: it fetches, and keeps our place in the group, only while no batch is
 * being worked on, and one slow partition would hold all others of its broker. So what is fetched waits here until `take`, and
 * partitions with too much waiting are paused. Whether anything moves is watched from outside (`beatMs`, kafka/watch.ts).
 *
 * Partitions come paused. Each begins at our own checkpoint, asked for then, and only after the group knows that we have it. The
 * library jumps in silence when an offset is not there any more; so each fetch has to begin exactly where the one before it ended, or
 * is doubted until the partition's ends were looked at.
 */
export class KafkaSession {
  readonly #parts: SessionParts;
  readonly #holdings: KafkaHoldings;
  #group: Group | null = null;
  /** Counts assignments: what was begun for an earlier one must not touch a later one. */
  #generation = 0;
  #failure: Error | null = null;
  #taken: Promise<void> = Promise.resolve();
  #marksAtMs = 0;
  #looking: Promise<void> | null = null;
  #isOver = false;
  /** When the client library last did something, milliseconds since 1970. */
  beatMs: number;
  /** True once the partitions of the current assignment were taken up. */
  isSettled = false;

  private constructor(parts: SessionParts) {
    this.#parts = parts;
    this.#holdings = new KafkaHoldings(parts.limits.queueBytes);
    this.beatMs = parts.clock.nowMs();
  }

  /** Joins the group, and resolves once the first assignment was taken up. */
  static async open(parts: SessionParts): Promise<KafkaSession> {
    const session = new KafkaSession(parts);
    try {
      await session.#join();
    } catch (error) {
      await session.leave();
      throw error;
    }
    return session;
  }

  /** Why it is over; null while it is not. */
  get failure(): Error | null {
    return this.#failure;
  }

  get holdings(): readonly KafkaHolding[] {
    return this.#holdings.list();
  }

  get topics(): readonly string[] {
    return this.#parts.topics;
  }

  /** The next batches; none when nothing waits. */
  take(): readonly SourceBatch[] {
    const batches = this.#holdings.take(this.#parts.limits.maxBytes);
    if (batches.length > 0 && this.#group !== null) this.#holdings.release(this.#group);
    return batches;
  }

  /** Notes what is done with. What is not ours any more, others take care of. */
  acknowledge(checkpoints: readonly Checkpoint[]): void {
    for (const { topic: name, partition, nextOffset } of checkpoints) {
      const { topic } = readProgressName(name);
      const holding = this.#holdings.find({ topic, partition });
      holding?.acknowledge(name, BigInt(nextOffset));
      if (holding != null) this.#parts.remembered.set(partitionName(holding), holding.asCommitted());
    }
  }

  /** Tells the group how far we are. Only a convenience for whoever looks at the group: that it fails is no failure. */
  async commit(): Promise<void> {
    const offsets = this.holdings.flatMap((holding) => holding.takeCommit() ?? []);
    if (offsets.length === 0 || this.#group === null || this.#failure !== null) return;
    await this.#group.commit(offsets);
  }

  /** How far each partition is behind, looked up anew when the last look is too long ago, and by what is known when that takes long. */
  async lag(): Promise<readonly Lag[]> {
    const { clock, limits } = this.#parts;
    if (clock.nowMs() - this.#marksAtMs >= limits.lagMs) {
      const enough = new AbortController();
      this.#looking ??= this.#look().finally(() => (this.#looking = null));
      const looked = this.#looking.catch(() => {}).finally(() => enough.abort());
      await Promise.race([looked, clock.wait(LOOK_MS, enough.signal)]);
    }
    return this.#holdings.lag();
  }

  /** Ends it as failed, unless it is over. */
  fail(error: Error): void {
    this.#failure ??= error;
    this.#parts.changed();
  }

  /** Leaves the group, within a deadline: the library waits for ever for a broker that does not answer. */
  async leave(): Promise<void> {
    if (this.#isOver) return;
    this.#isOver = true;
    const { clock, limits } = this.#parts;
    const enough = new AbortController();
    const left = this.commit()
      .catch(() => {})
      .then(() => this.#group?.leave())
      .catch(() => {})
      .finally(() => enough.abort());
    await Promise.race([left, clock.wait(limits.leaveMs, enough.signal)]);
    this.#holdings.clear();
  }

  async #join(): Promise<void> {
    const { client, topics } = this.#parts;
    this.#group = await ofKafka("joining the group", client.join(topics, this.#ears()));
    await this.#taken;
    if (this.#failure !== null) throw this.#failure;
  }

  #ears(): GroupEars {
    const { clock } = this.#parts;
    const beat = () => void (this.beatMs = clock.nowMs());
    return {
      assigned: (partitions, group) => {
        beat();
        this.#parts.assigned();
        this.#group = group;
        const generation = this.#forget();
        group.pause(partitions);
        this.#taken = this.#takeUp(partitions, generation).catch((error: unknown) =>
          this.#failedIn(generation, error),
        );
      },
      revoked: () => {
        beat();
        this.#forget();
      },
      fetched: (fetched) => this.#receive(fetched),
      beat,
      crashed: (error) => this.fail(kafkaFailure("reading from Kafka", error)),
    };
  }

  #forget(): number {
    this.#holdings.clear();
    this.isSettled = false;
    this.#generation += 1;
    return this.#generation;
  }

  #failedIn(generation: number, error: unknown): void {
    // A group that changes hands assigns anew.
    if (generation !== this.#generation || isRebalancing(error)) return;
    this.fail(error instanceof Error ? error : new Error(String(error)));
  }

  async #takeUp(partitions: readonly TopicPartition[], generation: number): Promise<void> {
    const { client, checkpoints, clock } = this.#parts;
    const topics = [...new Set(partitions.map(({ topic }) => topic))];
    const [stored, committed, marks] = await Promise.all([
      checkpoints(),
      ofKafka("asking for the group's offsets", client.committed(topics)),
      this.#marks(topics),
    ]);
    if (generation !== this.#generation || this.#group === null) return;
    this.#marksAtMs = clock.nowMs();
    const group = this.#group;
    const begun: KafkaHolding[] = [];
    for (const mark of marks) {
      if (!partitions.some((one) => samePartition(one, mark))) continue;
      const known = committed.find((one) => samePartition(one, mark));
      const start = startOf(mark, known, stored);
      if (start.discontinuity !== null) this.#parts.declared(start.discontinuity);
      const holding = new KafkaHolding(mark, start, mark.high);
      holding.proof = proofOfPlace(start, mark, [known, this.#parts.remembered.get(partitionName(mark))]);
      group.seek(holding, holding.proof?.offset ?? start.offset);
      begun.push(holding);
    }
    // Before a record is delivered the group knows of the partition: what `startOf` relies on.
    if (begun.length > 0) await this.#tell(group, begun);
    if (generation !== this.#generation) return;
    for (const holding of begun) this.#holdings.add(holding);
    this.isSettled = true;
    this.#holdings.release(group);
    this.#parts.changed();
  }

  #receive(fetched: Fetched): boolean {
    const holding = this.#holdings.find(fetched);
    if (holding === null || this.#group === null) return false;
    if (holding.doubts !== null) {
      holding.doubts.push(fetched);
      return true;
    }
    if (holding.proof !== null) return this.#prove(holding, holding.proof, fetched);
    if (holding.fit(fetched) === "follows") {
      this.#accept(holding, fetched);
      return true;
    }
    this.#hold(holding, [fetched], () => this.#settle(holding, this.#generation));
    return true;
  }

  /** Keeps a partition back until some work on it is done. */
  #hold(holding: KafkaHolding, doubts: Fetched[], work: () => Promise<void>): void {
    holding.doubts = doubts;
    holding.isPaused = true;
    this.#group?.pause([holding]);
    const generation = this.#generation;
    void work().catch((error: unknown) => this.#failedIn(generation, error));
  }

  /** Looks at the record before the place where the partition goes on: at its offset another may lie now. */
  #prove(holding: KafkaHolding, proof: Proof, fetched: Fetched): boolean {
    if (fetched.first === null) return true;
    holding.proof = null;
    if (isRefuted(proof, fetched))
      this.#hold(holding, [], () => this.#beginAnew(holding, proof, fetched.high));
    else this.#group?.seek(holding, holding.fetched);
    return true;
  }

  /** Reads a partition from its beginning, as another one. */
  async #beginAnew(holding: KafkaHolding, { low }: Proof, high: bigint): Promise<void> {
    const { topic, partition, life, fetched } = holding;
    const [from, to] = [fetched.toString(), low.toString()];
    const discontinuity: Discontinuity = { kind: "replaced", topic, partition, from, to };
    const isOurs = await this.#moveTo(holding, { life: life + 1, offset: low, discontinuity }, high);
    if (!isOurs || this.#group === null) return;
    holding.doubts = [];
    this.#resume(holding, high, this.#group);
  }

  /** False when the partition is not ours any more. */
  async #moveTo(holding: KafkaHolding, start: Start, high: bigint): Promise<boolean> {
    const generation = this.#generation;
    if (start.discontinuity !== null) this.#parts.declared(start.discontinuity);
    holding.moveTo(start, high);
    if (this.#group !== null) await this.#tell(this.#group, [holding]);
    return generation === this.#generation;
  }

  #accept(holding: KafkaHolding, fetched: Fetched): void {
    fetched.unreadable.forEach(this.#parts.unread);
    holding.push(fetched);
    if (this.#group !== null) this.#holdings.restrain(holding, this.#group);
    this.#parts.changed();
  }

  /** Finds out why a fetch did not begin where the one before it ended: a hole left by compaction, or records that are gone. */
  async #settle(holding: KafkaHolding, generation: number): Promise<void> {
    const { client } = this.#parts;
    const { topic, partition, name, fetched } = holding;
    const [marks, committed] = await Promise.all([
      this.#marks([topic]),
      ofKafka("asking for the group's offsets", client.committed([topic])),
    ]);
    const mark = marks.find((one) => samePartition(one, holding));
    if (generation !== this.#generation || this.#group === null) return;
    if (mark === undefined) throw new Customer360Error("SOURCE_UNAVAILABLE", `${topic}/${partition} is gone`);
    const group = this.#group;
    const here = { topic: name, partition, nextOffset: fetched.toString() };
    const start = startOf(
      mark,
      committed.find((one) => samePartition(one, holding)),
      [here],
    );
    if (start.discontinuity !== null && !(await this.#moveTo(holding, start, mark.high))) return;
    this.#resume(holding, mark.high, group);
  }

  #resume(holding: KafkaHolding, high: bigint, group: Group): void {
    const doubts = holding.doubts ?? [];
    holding.doubts = null;
    holding.high = high;
    const [first] = doubts;
    // Behind where we are nothing is missing: the partition's low end was looked at. Before it, the library had jumped.
    if (first?.first !== undefined && first.first !== null && first.first >= holding.fetched)
      for (const fetched of doubts) this.#accept(holding, fetched);
    else group.seek(holding, holding.fetched);
    this.#holdings.release(group);
    this.#parts.changed();
  }

  async #marks(topics: readonly string[]): Promise<readonly Marks[]> {
    const { client } = this.#parts;
    const found = Promise.all(topics.map((topic) => client.marks(topic)));
    return (await ofKafka("asking for the ends of partitions", found)).flat();
  }

  async #tell(group: Group, holdings: readonly KafkaHolding[]): Promise<void> {
    await ofKafka("committing", group.commit(holdings.map((holding) => holding.asCommitted())));
  }

  async #look(): Promise<void> {
    this.#marksAtMs = this.#parts.clock.nowMs();
    const topics = [...new Set(this.holdings.map(({ topic }) => topic))];
    for (const mark of await this.#marks(topics)) {
      const holding = this.#holdings.find(mark);
      if (holding !== null && mark.high > holding.high) holding.high = mark.high;
    }
  }
}
