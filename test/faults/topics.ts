import { setTimeout as delay } from "node:timers/promises";
import { Kafka as Client, logLevel, Partitioners, type Producer } from "kafkajs";
import { until } from "../servers/ports.ts";
import { PARTITIONS, PAYMENTS, PEOPLE, type Produced } from "./history.ts";
import { Sent } from "./sent.ts";
import { Truth } from "./truth.ts";

const TOPICS = [PEOPLE, PAYMENTS];
/** Long enough for other records to take the offsets of what was lost, before that is sent again. */
const BEFORE_AGAIN_MS = 1_000;
const LED_MS = 60_000;

/** Records of one request, which stays below what a broker takes at once. */
const AT_ONCE = 1_000;

/** Our own way to Kafka, past the proxies. A broker that is killed is waited for. */
export class Topics {
  readonly #client: Client;
  readonly #producer: Producer;
  readonly #sent = new Sent();
  /** Where poison lay that the broker lost: it may have been read before. */
  readonly #lostPoison = new Set<string>();
  /** While somebody holds back what is sent, that waits for this. */
  #gate: Promise<void> = Promise.resolve();
  readonly #sending = new Set<Promise<unknown>>();

  constructor(brokers: string) {
    const retry = { retries: 100, initialRetryTime: 100, maxRetryTime: 1_000 };
    this.#client = new Client({ brokers: brokers.split(","), logLevel: logLevel.NOTHING, retry });
    this.#producer = this.#client.producer({ createPartitioner: Partitioners.DefaultPartitioner });
  }

  async create(): Promise<void> {
    const admin = this.#client.admin();
    await admin.connect();
    await admin.createTopics({ topics: TOPICS.map((topic) => ({ topic, numPartitions: PARTITIONS })) });
    await admin.disconnect();
    await this.#producer.connect();
  }

  /** Sends records, until Kafka has them: some of them twice, when an answer got lost. */
  async produce(records: readonly Produced[]): Promise<void> {
    for (let at = 0; at < records.length; at += AT_ONCE) await this.#send(records.slice(at, at + AT_ONCE));
  }

  async #send(records: readonly Produced[]): Promise<void> {
    const topicMessages = TOPICS.map((topic) => ({
      topic,
      messages: records
        .filter((record) => record.topic === topic)
        .map(({ partition, key, value, headers }) => ({ partition, key, value, headers })),
    })).filter(({ messages }) => messages.length > 0);
    await this.#gate;
    const sending = this.#producer.sendBatch({ topicMessages, acks: -1 });
    this.#sending.add(sending);
    const found = await sending.finally(() => this.#sending.delete(sending));
    for (const { topicName: topic, partition, baseOffset } of found) {
      const here = records.filter((record) => record.topic === topic && record.partition === partition);
      this.#sent.add(topic, partition, { from: BigInt(baseOffset ?? 0), records: here });
    }
  }

  /**
   * Lets the broker lose what it has not yet written to its disk, while nothing is sent. What comes next takes the offsets of what was
   * lost; then that is sent again, as a connector does that had not yet noted it as sent.
   */
  async lose(losing: () => Promise<void>): Promise<void> {
    let open = () => {};
    this.#gate = new Promise((resolve) => (open = resolve));
    try {
      await Promise.all(this.#sending);
      await losing();
      const lost = this.#sent.takeLost(await this.#endsOnceLed());
      for (const { record, place } of lost)
        if (record.headers["poison"] !== undefined) this.#lostPoison.add(place);
      open();
      await delay(BEFORE_AGAIN_MS);
      if (lost.length > 0) await this.produce(lost.map(({ record }) => record));
    } finally {
      open();
    }
  }

  /** The client gives up at once where nobody leads a partition yet. */
  async #endsOnceLed(): Promise<ReadonlyMap<string, string>> {
    let ends: ReadonlyMap<string, string> | null = null;
    const isLed = async () => {
      ends = await this.ends().catch(() => null);
      return ends !== null;
    };
    await until(isLed, AbortSignal.timeout(LED_MS));
    return ends ?? new Map();
  }

  /** Where each partition ends, by `topic/partition`. */
  async ends(): Promise<ReadonlyMap<string, string>> {
    const admin = this.#client.admin();
    await admin.connect();
    const ends = new Map<string, string>();
    for (const topic of TOPICS)
      for (const { partition, high } of await admin.fetchTopicOffsets(topic))
        ends.set(`${topic}/${partition}`, high);
    await admin.disconnect();
    return ends;
  }

  /** Reads everything that lies in the topics, by itself. */
  async truth(): Promise<Truth> {
    const truth = new Truth(this.#lostPoison);
    const ends = await this.ends();
    const left = new Set([...ends].filter(([, end]) => end !== "0").map(([name]) => name));
    const consumer = this.#client.consumer({ groupId: `truth-${Date.now()}` });
    await consumer.connect();
    await consumer.subscribe({ topics: TOPICS, fromBeginning: true });
    await new Promise<void>((resolve, reject) => {
      const eachBatch = async ({ batch }: Parameters<NonNullable<Run["eachBatch"]>>[0]): Promise<void> => {
        const { topic, partition, messages } = batch;
        for (const { offset, value, headers } of messages)
          truth.add({
            topic,
            partition,
            offset,
            value: value?.toString() ?? null,
            headers: textsOf(headers),
          });
        const name = `${topic}/${partition}`;
        if (BigInt(batch.lastOffset()) + 1n >= BigInt(ends.get(name) ?? 0)) left.delete(name);
        if (left.size === 0) resolve();
        return Promise.resolve();
      };
      consumer.run({ eachBatch }).catch(reject);
    });
    await consumer.disconnect();
    return truth;
  }

  async stop(): Promise<void> {
    await this.#producer.disconnect();
  }
}

type Run = NonNullable<Parameters<ReturnType<Client["consumer"]>["run"]>[0]>;

function textsOf(headers: Readonly<Record<string, unknown>> = {}): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
}
