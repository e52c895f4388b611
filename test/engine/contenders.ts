import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Long, type MongoClient } from "mongodb";
import { BENCH_PIPELINE } from "../../src/bench/records.ts";
import { missing } from "../servers/binaries.ts";
import { startConnect } from "../servers/connect.ts";
import { temporaryFolder } from "../servers/folders.ts";
import { startProgram } from "../servers/program.ts";
import { startServer } from "../servers/server.ts";
import { MARKERS } from "./workloads.ts";

/** Where everything is. */
export interface Place {
  readonly brokers: string;
  /** Without a database. */
  readonly mongoUri: string;
  readonly redisUrl: string;
  readonly client: MongoClient;
}

/** A program that brings changes from a topic into a store. */
export interface Contender {
  readonly name: string;
  readonly topic: string;
  pid(): number;
  /** What its store has of these customers, as text, in their order. */
  texts(customers: readonly number[]): Promise<readonly string[]>;
  stop(): Promise<void>;
}

/** One of ours, with the address where its metrics are. */
export interface Ours extends Contender {
  readonly url: string;
}

/** The topic of a contender. */
export const topicOf = (name: string): string => `${name}.public.profiles`;

/** The pipeline of the benchmark over another topic of profiles: five rules, three metrics, a tiered segment, an offer. */
export function pipelineFile(topic: string): string {
  const file = join(temporaryFolder("engine"), "engine.yaml");
  writeFileSync(file, BENCH_PIPELINE.replaceAll("bench.public.profiles", topic));
  return file;
}

/** What processes of ours share. */
export function ourEnvironment({ brokers, mongoUri, redisUrl }: Place, database: string) {
  return {
    KAFKA_BROKERS: brokers,
    MONGODB_URI: `${mongoUri}${database}`,
    REDIS_URL: redisUrl,
    KAFKA_GROUP: `ours-${database}`,
    // Such as a preload that profiles, for somebody who wants to know where the time goes.
    NODE_OPTIONS: process.env["CUSTOMER360_ENGINE_NODE_OPTIONS"] ?? "",
    CURSOR_SECRET: "a-secret-that-signs-cursors-of-the-benchmark",
  };
}

/** What is different about a process of ours; `at` tells those of one group apart. */
interface OursOptions {
  readonly at?: number;
  readonly mongoUri?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** One ingest process of ours, Kafka to store to Redis. */
export async function startOurs(
  place: Place,
  { at = 0, mongoUri = place.mongoUri, env: more = {} }: OursOptions = {},
): Promise<Ours> {
  const name = "ours";
  const topic = topicOf(name);
  const env = { ...ourEnvironment({ ...place, mongoUri }, name), KAFKA_INSTANCE: `ours-${at}`, ...more };
  const program = await startProgram({ role: "ingest", pipeline: pipelineFile(topic), env });
  const customers = place.client.db(name).collection<{ readonly _id: string }>("customers");
  return {
    name,
    topic,
    url: program.url,
    pid: program.pid,
    texts: (ids) =>
      textsOf(ids.map(String), (wanted) => customers.find({ _id: { $in: [...wanted] } }).toArray()),
    stop: program.stop,
  };
}

/** kafkajs, JSON.parse and one upsert for each record. */
export async function startPlainLoop({ brokers, mongoUri, client }: Place): Promise<Contender> {
  const name = "plain";
  const topic = topicOf(name);
  const rows = client.db(name).collection<{ readonly _id: number }>("profiles");
  const server = await startServer({
    name: "plain loop",
    command: process.execPath,
    args: [join(import.meta.dirname, "plain-loop.mjs"), brokers, topic, `${mongoUri}${name}`],
    env: { NODE_OPTIONS: "" },
    dataDir: temporaryFolder("plain"),
    ready: () => Promise.resolve(true),
  });
  return {
    ...{ name, topic, pid: server.pid, stop: server.stop },
    texts: (ids) => textsOf(ids, (wanted) => rows.find({ _id: { $in: [...wanted] } }).toArray()),
  };
}

const HANDLER = "com.mongodb.kafka.connect.sink.cdc.debezium.rdbms.postgres.PostgresHandler";

/** The mongo-kafka sink connector with its Debezium handler, in a Connect worker of its own; or why there is none. */
export async function startSink({ brokers, mongoUri, client }: Place): Promise<Contender | string> {
  const reason = missing("mongo-sink");
  if (reason !== null) return reason;
  const name = "sink";
  const topic = topicOf(name);
  const rows = client.db(name).collection<{ readonly _id: { readonly id: number | Long } }>("profiles");
  const config = {
    "connector.class": "com.mongodb.kafka.connect.MongoSinkConnector",
    "tasks.max": "1",
    topics: topic,
    "connection.uri": mongoUri,
    database: name,
    collection: "profiles",
    "change.data.capture.handler": HANDLER,
    "consumer.override.isolation.level": "read_committed",
    "consumer.override.max.poll.records": "2000",
    "consumer.override.auto.offset.reset": "earliest",
  };
  try {
    const connect = await startConnect({
      kafka: { brokers },
      connectors: { sink: config },
      plugins: ["mongo-sink"],
      java: ["-XX:TieredStopAtLevel=4"],
    });
    return {
      ...{ name, topic, pid: connect.pid, stop: connect.stop },
      texts: async (ids) => {
        // As they are stored, so that the server need not look through all.
        const keys = ids.map((id) => ({ id: Long.fromNumber(id) }));
        const found = await rows.find({ _id: { $in: keys } }).toArray();
        return ids.map((id) => JSON.stringify(found.find(({ _id }) => Number(_id.id) === id) ?? null));
      },
    };
  } catch (error) {
    return `it does not start: ${String(error).slice(0, 2_000)}`;
  }
}

async function textsOf<Id extends number | string>(
  ids: readonly Id[],
  find: (ids: readonly Id[]) => Promise<readonly { readonly _id: Id }[]>,
): Promise<readonly string[]> {
  const found = new Map((await find(ids)).map((row) => [row._id, JSON.stringify(row)]));
  return ids.map((id) => found.get(id) ?? "");
}

/** True when every partition's marker says so. */
export async function isDone(contender: Contender, text: string): Promise<boolean> {
  return (await contender.texts(MARKERS)).every((row) => row.includes(text));
}
