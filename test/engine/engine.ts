import { MongoClient } from "mongodb";
import type { Measure } from "../../src/bench/report.ts";
import { LASTING } from "../servers/java.ts";
import { startKafka } from "../servers/kafka.ts";
import { startMongo } from "../servers/mongo.ts";
import { startRedis } from "../servers/redis.ts";
import { startOurs, startPlainLoop, startSink, topicOf, type Contender, type Place } from "./contenders.ts";
import { contest, contestMeasures, memoryMeasures } from "./contest.ts";
import { startFeed, type Feed } from "./feed.ts";
import { rebuildMeasures } from "./rebuild.ts";
import { screenMeasures } from "./screens.ts";
import type { Settings } from "./settings.ts";
import { sharingMeasures } from "./sharing.ts";
import { Changes } from "./workloads.ts";
import { stepMeasures } from "./steps.ts";
import { writeMeasures } from "./writes.ts";

/** Room for what is made while an update is carried out: else collecting it costs the server as much as its work. */
const ROOMY = ["-Xms3g", "-Xmn1500m"];

/** What a run found. */
export interface EngineFigures {
  readonly measures: readonly Measure[];
  readonly failures: readonly string[];
}

/** Starts everything, measures, and ends what it started. */
export async function measureEngine(
  settings: Settings,
  tell: (line: string) => void,
): Promise<EngineFigures> {
  const ends: (() => Promise<unknown>)[] = [];
  try {
    const started = async <T extends { stop(): Promise<void> }>(starting: Promise<T>): Promise<T> => {
      const server = await starting;
      ends.unshift(() => server.stop());
      return server;
    };
    const kafka = await started(startKafka({ java: LASTING }));
    const mongo = await started(startMongo({ heapMb: 4_096, java: [...LASTING, ...ROOMY] }));
    const redis = await started(startRedis());
    const client = new MongoClient(mongo.uri);
    ends.unshift(() => client.close());
    const place: Place = { brokers: kafka.brokers, mongoUri: mongo.uri, redisUrl: redis.url, client };
    const feed = await started(startFeed(kafka.brokers));
    return await measured({ place, feed, settings, tell, started });
  } finally {
    for (const end of ends) await end().catch(() => {});
  }
}

/** What the parts of a run share. */
export interface EngineParts {
  readonly place: Place;
  readonly feed: Feed;
  readonly settings: Settings;
  readonly tell: (line: string) => void;
  readonly started: <T extends { stop(): Promise<void> }>(starting: Promise<T>) => Promise<T>;
}

async function measured(parts: EngineParts): Promise<EngineFigures> {
  const { place, feed, tell, started } = parts;
  const measures: Measure[] = [];
  const failures: string[] = [];
  /** What breaks one part does not stop the others. */
  const part = async (name: string, take: () => Promise<readonly Measure[]>): Promise<void> => {
    tell(`measuring ${name} ...`);
    try {
      measures.push(...(await take()));
    } catch (error) {
      failures.push(`${name}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
      tell(failures.at(-1) ?? "");
    }
  };
  await feed.create(["ours", "plain", "sink"].map(topicOf));
  const ours = await started(startOurs(place));
  const plain = await started(startPlainLoop(place));
  const sink = await startSink(place);
  const contenders: Contender[] = [ours, plain];
  if (typeof sink === "string") failures.push(`no sink connector: ${sink}`);
  else contenders.push(await started(Promise.resolve(sink)));
  const contested = await contest({ contenders, feed, settings: parts.settings, tell });
  const changes = contested.changes.get("ours") ?? new Changes();
  measures.push(...contestMeasures(contested));
  await part("memory", () => Promise.resolve(memoryMeasures(contested)));
  for (const other of contenders.slice(1)) await other.stop();
  await part("two processes", () => sharingMeasures(ours, contested, { parts, changes }));
  await part("screens", () => screenMeasures({ ours, changes, parts }));
  await ours.stop();
  await part("writes", () => writeMeasures(parts, changes));
  await part("steps", () => stepMeasures(parts, changes));
  await part("a rebuild", () => rebuildMeasures(parts));
  return { measures, failures };
}
