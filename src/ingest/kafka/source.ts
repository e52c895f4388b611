import type { Clock } from "../../clock.ts";
import { Customer360Error } from "../../errors.ts";
import type { Log } from "../../log.ts";
import { createBell } from "../waiting/bell.ts";
import { ofKafka } from "./client/errors.ts";
import { KAFKA_LIMITS, type KafkaClient, type KafkaLimits, type KafkaSettings } from "./group.ts";
import { Latest, stateOf, type KafkaHealth } from "./health.ts";
import { DISCONTINUITIES, type Committed, type Discontinuity } from "./position.ts";
import type { KafkaSecurity } from "./client/security.ts";
import { KafkaSession } from "./session.ts";
import { isTopic, missingTopics, wantedTopics } from "./topics.ts";
import { KafkaWatch } from "./watch.ts";
import type { Checkpoints, Lag, Source, SourceBatch, Unreadable } from "../source.ts";

/** What a Kafka source is told. */
export interface KafkaSourceOptions {
  /** Addresses to begin with, `host:port`. */
  readonly brokers: readonly string[];
  readonly security: KafkaSecurity;
  /** Processes with one group share its partitions. */
  readonly groupId: string;
  /**
   * A name that this process keeps over restarts and that no other of the group has. With it a process that was killed has its partitions back at
   * once, without it when its session has ended (`limits.sessionMs`). Default none.
   */
  readonly instance?: string;
  /** Names of topics, and patterns between slashes. What does not exist yet is taken up once it does. */
  readonly topics: readonly string[];
  readonly clock: Clock;
  readonly log: Log;
  readonly limits?: Partial<KafkaLimits>;
  /** False: ends once what was there at the start was delivered. Default true. */
  readonly follow?: boolean;
  /** How a cluster is connected to; default the client library. */
  readonly connect?: (settings: KafkaSettings, log: Log) => Promise<KafkaClient>;
}

/** A Source that also tells how it is doing. */
export interface KafkaSource extends Source {
  health(): KafkaHealth;
}

/** The client library is loaded when it is needed: a process without Kafka never has it. */
const load: NonNullable<KafkaSourceOptions["connect"]> = async (settings, log) => {
  const { connectKafka } = await import("./client/client.ts");
  return connectKafka(settings, log);
};

/**
 * The Source port over Kafka topics, as a member of a consumer group.
 *
 * A partition's progress is our own checkpoint; the group's offset follows it for whoever looks at the group. Progress of a topic that was
 * deleted and made again goes by another name, `topic#1`: a checkpoint never goes backwards. Records keep their coordinates.
 *
 * Failures: an outage makes `start` and `next` throw `SOURCE_UNAVAILABLE`, and the next call connects anew; a refusal by the broker, a batch nobody could
 * read, or records that wait for ever throw `SOURCE_FAILED`, which ends ingest.
 */
export function kafkaSource(options: KafkaSourceOptions): KafkaSource {
  return new KafkaReader(options);
}

const TICK_MS = 1_000;

class KafkaReader implements KafkaSource {
  readonly #options: KafkaSourceOptions;
  readonly #settings: KafkaSettings;
  readonly #limits: KafkaLimits;
  readonly #wanted: readonly string[];
  readonly #bell = createBell();
  readonly #closing = new AbortController();
  readonly #discontinuities = new Latest<Discontinuity>();
  readonly #unreadable: Unreadable[] = [];
  readonly #remembered = new Map<string, Committed>();
  readonly #watch: KafkaWatch;
  #checkpoints: Checkpoints = () => Promise.resolve([]);
  #client: KafkaClient | null = null;
  #session: KafkaSession | null = null;
  #missing: readonly string[] = [];
  /** When topics were last looked for. */
  #foundMs = 0;
  #lag: readonly Lag[] = [];
  #sessions = 0;
  #assignments = 0;
  #isAsked = false;
  /** A failure found by watching, to be met by whoever asks next. */
  #hopeless: Error | null = null;
  #tending: Promise<void> | null = null;

  constructor(options: KafkaSourceOptions) {
    const { brokers, security, groupId, instance = null, topics } = options;
    this.#options = options;
    this.#limits = { ...KAFKA_LIMITS, ...options.limits };
    this.#settings = { brokers, security, groupId, instance, limits: this.#limits };
    this.#wanted = topics.filter(isTopic);
    this.#watch = new KafkaWatch(this.#limits);
  }

  async start(checkpoints: Checkpoints): Promise<void> {
    this.#checkpoints = checkpoints;
    await this.#open();
    this.#tending ??= this.#tend();
  }

  async next(signal: AbortSignal): Promise<readonly SourceBatch[] | null> {
    const stop = AbortSignal.any([signal, this.#closing.signal]);
    try {
      while (!stop.aborted) {
        this.#isAsked = true;
        const batches = await this.#deliver();
        if (stop.aborted) return null;
        if (batches.length > 0) return batches;
        if (this.#isAtEnd()) return null;
        await this.#bell.heard(stop);
      }
      return null;
    } finally {
      this.#isAsked = false;
    }
  }

  acknowledge(checkpoints: Parameters<Source["acknowledge"]>[0]): Promise<void> {
    this.#session?.acknowledge(checkpoints);
    return Promise.resolve();
  }

  unreadable(): readonly Unreadable[] {
    return this.#unreadable.splice(0);
  }

  async lag(): Promise<readonly Lag[]> {
    const session = this.#session;
    // While Kafka is away the last that was known is the best there is.
    if (session !== null && session.failure === null) this.#lag = await session.lag();
    return this.#lag;
  }

  health(): KafkaHealth {
    return {
      state: stateOf(this.#session),
      partitions: this.#session?.holdings.length ?? 0,
      missingTopics: this.#missing,
      discontinuities: this.#discontinuities.count,
      latestDiscontinuities: this.#discontinuities.list(),
      stalledMs: this.#watch.stalledMs,
      sessions: this.#sessions,
      assignments: this.#assignments,
    };
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#drop();
    await this.#tending;
  }

  /** What waits, by a session that works. Throws what ended the last one, once, having dropped it. */
  async #deliver(): Promise<readonly SourceBatch[]> {
    const failure = this.#hopeless ?? this.#session?.failure ?? null;
    if (failure !== null) {
      await this.#drop();
      throw failure;
    }
    if (this.#session === null) await this.#open();
    const batches = this.#session?.take() ?? [];
    if (batches.length > 0) this.#watch.moved();
    return batches;
  }

  /** Joins the group for the topics there are; for none, `tend` goes on looking. */
  async #open(): Promise<void> {
    const { clock, log, connect = load } = this.#options;
    try {
      this.#client ??= await ofKafka("connecting to Kafka", connect(this.#settings, log));
      const topics = await this.#findTopics(this.#client);
      if (topics.length === 0 || this.#closing.signal.aborted) return;
      this.#session = await KafkaSession.open({
        client: this.#client,
        topics,
        checkpoints: this.#checkpoints,
        clock,
        limits: this.#limits,
        changed: () => this.#bell.ring(),
        assigned: () => void (this.#assignments += 1),
        declared: (discontinuity) => this.#declare(discontinuity),
        unread: (found) => this.#unreadable.push(found),
        remembered: this.#remembered,
      });
      this.#sessions += 1;
      log.info("joined the group", { group: this.#settings.groupId, topics: topics.length });
    } catch (error) {
      await this.#drop();
      throw error;
    }
    if (this.#closing.signal.aborted) await this.#drop();
  }

  async #findTopics(client: KafkaClient): Promise<readonly string[]> {
    this.#foundMs = this.#options.clock.nowMs();
    const existing = await ofKafka("listing topics", client.topics());
    this.#missing = missingTopics(this.#wanted, existing);
    return wantedTopics(this.#wanted, existing);
  }

  async #drop(): Promise<void> {
    const { clock } = this.#options;
    const session = this.#session;
    const client = this.#client;
    this.#session = null;
    this.#client = null;
    await session?.leave();
    const enough = new AbortController();
    const closed = client
      ?.close()
      .catch(() => {})
      .finally(() => enough.abort());
    if (closed !== undefined) await Promise.race([closed, clock.wait(this.#limits.leaveMs, enough.signal)]);
  }

  #declare(discontinuity: Discontinuity): void {
    this.#discontinuities.add(discontinuity);
    const { kind, topic, partition, from, to } = discontinuity;
    this.#options.log.error(DISCONTINUITIES[kind], { topic, partition, from, to });
    if (kind !== "removed") return;
    const reason = `${DISCONTINUITIES[kind]}: offsets ${from} to ${(BigInt(to) - 1n).toString()}`;
    this.#unreadable.push({ origin: { topic, partition, offset: from }, reason, bytes: null });
  }

  #isAtEnd(): boolean {
    if (this.#options.follow ?? true) return false;
    if (this.#session === null) return true;
    return this.#session.isSettled && this.#session.holdings.every(({ isAtEnd }) => isAtEnd);
  }

  /** Looks after the source until it is closed. Chores ask the broker, which may not answer: the next look does not wait for them. */
  async #tend(): Promise<void> {
    const { clock, log } = this.#options;
    const { commitMs, discoverMs } = this.#limits;
    let isBusy = false;
    while (!this.#closing.signal.aborted) {
      await clock.wait(Math.min(TICK_MS, commitMs, discoverMs), this.#closing.signal);
      this.#feelBeat();
      if (isBusy || this.#closing.signal.aborted) continue;
      isBusy = true;
      void this.#chores()
        .catch((error: unknown) => log.warn("looking after the Kafka source", { reason: String(error) }))
        .finally(() => (isBusy = false));
    }
  }

  async #chores(): Promise<void> {
    const { clock } = this.#options;
    await this.#session?.commit();
    if (clock.nowMs() - this.#foundMs >= this.#limits.discoverMs) await this.#discover();
    await this.#lookAfter();
  }

  /** A client that neither fetches nor joins has died, or its broker has and nobody told. */
  #feelBeat(): void {
    const session = this.#session;
    const sinceMs = this.#options.clock.nowMs() - (session?.beatMs ?? 0);
    if (session !== null && session.failure === null && sinceMs >= this.#limits.wedgedMs)
      session.fail(new Customer360Error("SOURCE_UNAVAILABLE", "the Kafka client does not move"));
  }

  /** Begins a new session when the topics there are have changed: the client library takes none up while it runs. */
  async #discover(): Promise<void> {
    const client = this.#client;
    if (client === null) return;
    const topics = await this.#findTopics(client);
    if (client !== this.#client || topics.join() === (this.#session?.topics ?? []).join()) return;
    this.#options.log.info("the topics there are have changed", { topics: topics.length });
    const session = this.#session;
    this.#session = null;
    await session?.leave();
    this.#bell.ring();
  }

  async #lookAfter(): Promise<void> {
    const { clock } = this.#options;
    const session = this.#session;
    if (session === null || session.failure !== null) return;
    const isBehind = this.#isAsked && (await session.lag()).length > 0;
    this.#watch.see({ nowMs: clock.nowMs(), isAsked: this.#isAsked, isBehind });
    if (!this.#watch.isHopeless) return;
    this.#hopeless = new Customer360Error("SOURCE_FAILED", "records wait in Kafka and none of them come");
    this.#bell.ring();
  }
}
