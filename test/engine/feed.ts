import { Kafka as Client, logLevel, Partitioners, type Admin, type Producer } from "kafkajs";
import { createHolder, pieces, type Holder } from "./held.ts";
import { PARTITIONS, type Sent } from "./workloads.ts";

/** Brings records to Kafka. */
export interface Feed {
  create(topics: readonly string[]): Promise<void>;
  /** Sends records that nobody sees until they are released, all at once: so that a backlog is there whole, and the reader warm. */
  readonly hold: Holder["hold"];
  /** Sends records that are seen as soon as they are there; no transaction. */
  send(topic: string, records: readonly Sent[]): Promise<void>;
  stop(): Promise<void>;
}

/** Connects to a broker. */
export async function startFeed(brokers: string): Promise<Feed> {
  const client = new Client({ brokers: [brokers], logLevel: logLevel.NOTHING, retry: { retries: 30 } });
  const admin: Admin = client.admin();
  const createPartitioner = Partitioners.DefaultPartitioner;
  const holder = createHolder(async () => {
    const producer = client.producer({
      ...{ createPartitioner, idempotent: true, maxInFlightRequests: 1 },
      ...{ transactionalId: "engine", transactionTimeout: 120_000 },
    });
    await producer.connect();
    return producer;
  });
  const plain: Producer = client.producer({ createPartitioner });
  await Promise.all([admin.connect(), plain.connect()]);
  return {
    create: async (topics) => {
      await admin.createTopics({
        waitForLeaders: true,
        topics: topics.map((topic) => ({ topic, numPartitions: PARTITIONS })),
      });
    },
    hold: (topic, records) => holder.hold(topic, records),
    send: async (topic, records) => {
      for (const messages of pieces(records)) await plain.send({ topic, messages, acks: 1 });
    },
    stop: async () => {
      await Promise.allSettled([admin.disconnect(), holder.stop(), plain.disconnect()]);
    },
  };
}
