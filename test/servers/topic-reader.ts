import { Kafka as Client, logLevel } from "kafkajs";
import { until } from "./ports.ts";

/** A record as it lies in a topic, its key and value as text. */
export interface TopicRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
  readonly key: string | null;
  readonly value: string | null;
}

/** Reads topics from their beginning, in a group of its own. */
export interface TopicReader {
  /** What was read so far. It grows by itself. */
  readonly records: readonly TopicRecord[];
  stop(): Promise<void>;
}

const text = (bytes: Buffer | null): string | null => (bytes === null ? null : bytes.toString());

const FIND_MS = 60_000;

/** Begins to read as soon as the topics exist: kafkajs looks for topics once, when it subscribes. */
export async function readTopics(brokers: string, topics: readonly string[]): Promise<TopicReader> {
  const client = new Client({ brokers: brokers.split(","), logLevel: logLevel.NOTHING });
  const admin = client.admin();
  await admin.connect();
  const exist = async () => {
    const names = await admin.listTopics();
    return topics.every((topic) => names.includes(topic));
  };
  await until(exist, AbortSignal.timeout(FIND_MS));
  await admin.disconnect();

  const consumer = client.consumer({
    groupId: `reader-${process.pid}-${Math.random()}`,
    retry: { retries: 20 },
  });
  const records: TopicRecord[] = [];
  await consumer.connect();
  await consumer.subscribe({ topics: [...topics], fromBeginning: true });
  await consumer.run({
    eachMessage: async ({ topic, partition, message }) => {
      const { offset, key, value } = message;
      records.push({ topic, partition, offset, key: text(key), value: text(value) });
    },
  });
  return { records, stop: () => consumer.disconnect() };
}
