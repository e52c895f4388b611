import {
  CompressionTypes,
  Kafka as Client,
  logLevel,
  Partitioners,
  type Admin,
  type Producer,
} from "kafkajs";
import { systemClock } from "../../src/clock.ts";
import type { KafkaLimits } from "../../src/ingest/kafka/group.ts";
import { PLAINTEXT } from "../../src/ingest/kafka/client/security.ts";
import { kafkaSource, type KafkaSource, type KafkaSourceOptions } from "../../src/ingest/kafka/source.ts";
import { silentLog } from "../../src/log.ts";

/** Limits that let tests move quickly. */
export const QUICK: Partial<KafkaLimits> = {
  fetchWaitMs: 20,
  sessionMs: 6_000,
  heartbeatMs: 100,
  rebalanceMs: 5_000,
  discoverMs: 300,
  commitMs: 100,
  lagMs: 0,
};

/** A record to be sent. */
export interface Sent {
  readonly key: string | null;
  readonly value: string | Buffer | null;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What a test does to a cluster, and how it reads it. */
export interface KafkaTopics {
  readonly admin: Admin;
  readonly producer: Producer;
  create(topic: string, partitions?: number, config?: Readonly<Record<string, string>>): Promise<void>;
  send(topic: string, partition: number, records: readonly Sent[]): Promise<void>;
  /** Removes a partition's records below an offset, as retention does. */
  remove(topic: string, partition: number, below: number): Promise<void>;
  /** A source over topics, closed with the rest. */
  source(options: Partial<KafkaSourceOptions> & { readonly topics: readonly string[] }): KafkaSource;
  close(): Promise<void>;
}

let names = 0;

/** A name no other test uses. */
export function fresh(kind: string): string {
  names += 1;
  return `${kind}-${process.pid}-${names}`;
}

/** Has a group formed once: a broker that just started refuses the first, for as long as it makes the topic of the groups. */
export async function warm(brokers: string): Promise<void> {
  const topics = await openTopics(brokers);
  try {
    const topic = fresh("warm");
    await topics.create(topic);
    const source = topics.source({ topics: [topic] });
    for (let isOpen = false; !isOpen;)
      isOpen = await source
        .start(async () => [])
        .then(
          () => true,
          () => false,
        );
  } finally {
    await topics.close();
  }
}

/** Opens a cluster for a test. */
export async function openTopics(brokers: string): Promise<KafkaTopics> {
  const client = new Client({
    brokers: [brokers],
    logLevel: logLevel.NOTHING,
    retry: { initialRetryTime: 50, maxRetryTime: 500, retries: 30 },
  });
  const admin = client.admin();
  const producer = client.producer({
    createPartitioner: Partitioners.DefaultPartitioner,
    allowAutoTopicCreation: false,
  });
  await Promise.all([admin.connect(), producer.connect()]);
  const sources: KafkaSource[] = [];
  return {
    admin,
    producer,
    create: async (topic, partitions = 1, config = {}) => {
      const configEntries = Object.entries(config).map(([name, value]) => ({ name, value }));
      await admin.createTopics({
        waitForLeaders: true,
        topics: [{ topic, numPartitions: partitions, configEntries }],
      });
      // A leader is known a moment before it leads: the client asks again until it answers for the topic.
      await admin.fetchTopicOffsets(topic);
    },
    send: async (topic, partition, records) => {
      const messages = records.map(({ key, value, headers }) => ({
        key,
        value,
        partition,
        ...(headers === undefined ? {} : { headers }),
      }));
      await producer.send({ topic, messages, acks: -1, compression: CompressionTypes.None });
    },
    remove: async (topic, partition, below) => {
      // Only then does the client know who leads the partition.
      await admin.fetchTopicOffsets(topic);
      await admin.deleteTopicRecords({ topic, partitions: [{ partition, offset: String(below) }] });
    },
    source: (options) => {
      const source = kafkaSource({
        brokers: [brokers],
        security: PLAINTEXT,
        groupId: fresh("group"),
        clock: systemClock,
        log: silentLog,
        ...options,
        limits: { ...QUICK, ...options.limits },
      });
      sources.push(source);
      return source;
    },
    close: async () => {
      for (const source of sources) await source.close();
      await Promise.all([admin.disconnect(), producer.disconnect()]);
    },
  };
}
