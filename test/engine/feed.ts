import { Kafka as Client, logLevel, Partitioners, type Admin, type Producer } from "kafkajs";
import { PARTITIONS, type Sent } from "./workloads.ts";

/** Brings records to Kafka. */
export interface Feed {
  create(topics: readonly string[]): Promise<void>;
  /** Sends records that nobody sees until they are released, all at once: so that a backlog is there whole, and the reader warm. */
  hold(topic: string, records: readonly Sent[]): Promise<() => Promise<void>>;
  /** Sends records that are seen as soon as they are there. */
  send(topic: string, records: readonly Sent[]): Promise<void>;
  stop(): Promise<void>;
}

const AT_ONCE = 2_000;

const pieces = (records: readonly Sent[]): readonly Sent[][] =>
  Array.from({ length: Math.ceil(records.length / AT_ONCE) }, (_, at) =>
    records.slice(at * AT_ONCE, (at + 1) * AT_ONCE),
  );

/** Connects to a broker. */
export async function startFeed(brokers: string): Promise<Feed> {
  const client = new Client({ brokers: [brokers], logLevel: logLevel.NOTHING, retry: { retries: 30 } });
  const admin: Admin = client.admin();
  const createPartitioner = Partitioners.DefaultPartitioner;
  const held: Producer = client.producer({
    ...{ createPartitioner, idempotent: true, maxInFlightRequests: 1 },
    ...{ transactionalId: "engine", transactionTimeout: 120_000 },
  });
  const plain: Producer = client.producer({ createPartitioner });
  await Promise.all([admin.connect(), held.connect(), plain.connect()]);
  return {
    create: async (topics) => {
      await admin.createTopics({
        waitForLeaders: true,
        topics: topics.map((topic) => ({ topic, numPartitions: PARTITIONS })),
      });
    },
    hold: async (topic, records) => {
      const transaction = await held.transaction();
      for (const messages of pieces(records)) await transaction.send({ topic, messages, acks: -1 });
      return () => transaction.commit();
    },
    send: async (topic, records) => {
      for (const messages of pieces(records)) await plain.send({ topic, messages, acks: 1 });
    },
    stop: async () => {
      await Promise.allSettled([admin.disconnect(), held.disconnect(), plain.disconnect()]);
    },
  };
}
