import { MongoClient } from "mongodb";
import type { Measure } from "../../src/bench/report.ts";
import { LASTING } from "../servers/java.ts";
import { startKafka } from "../servers/kafka.ts";
import { startMongo } from "../servers/mongo.ts";
import { startRedis } from "../servers/redis.ts";
import {
  startOurs,
  startPlainLoop,
  startSink,
  topicOf,
  type Contender,
  type Ours,
  type Place,
} from "./contenders.ts";
import { contest, contestMeasures, memoryMeasures, type Contested } from "./contest.ts";
import { startFeed, type Feed } from "./feed.ts";
import { rebuildMeasures } from "./rebuild.ts";
import { screenMeasures } from "./screens.ts";
import type { Part, Settings } from "./settings.ts";
import { sharingMeasures } from "./sharing.ts";
import { stepMeasures } from "./steps.ts";
import { turn } from "./turns.ts";
import { Changes, CUSTOMERS } from "./workloads.ts";
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
  const { place, feed, settings, tell, started } = parts;
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
  const isWanted = (name: Part) => settings.only.has(name);
  await feed.create(["ours", "plain", "sink"].map(topicOf));
  const ours = await started(startOurs(place));
  let changes = new Changes();
  if (isWanted("contest")) {
    const { contested, sinkIsMissing } = await compared(parts, ours);
    if (sinkIsMissing !== null) failures.push(`no sink connector: ${sinkIsMissing}`);
    changes = contested.changes.get(ours.name) ?? changes;
    measures.push(...contestMeasures(contested));
    await part("memory", () => Promise.resolve(memoryMeasures(contested)));
    await part("two processes", () => sharingMeasures(ours, contested, { parts, changes }));
  } else await turn(ours, { workload: "everybody", count: CUSTOMERS }, { feed, changes });
  if (isWanted("screens")) await part("screens", () => screenMeasures({ ours, changes, parts }));
  await ours.stop();
  if (isWanted("writes")) await part("writes", () => writeMeasures(parts, changes));
  if (isWanted("steps")) await part("steps", () => stepMeasures(parts, changes));
  if (isWanted("rebuild")) await part("a rebuild", () => rebuildMeasures(parts));
  return { measures, failures };
}

/** Ours beside the others, which are stopped afterwards. */
async function compared(
  { place, feed, settings, tell, started }: EngineParts,
  ours: Ours,
): Promise<{ readonly contested: Contested; readonly sinkIsMissing: string | null }> {
  const plain = await started(startPlainLoop(place));
  const sink = await startSink(place);
  const others: Contender[] = [plain];
  if (typeof sink !== "string") others.push(await started(Promise.resolve(sink)));
  const contested = await contest({ contenders: [ours, ...others], feed, settings, tell });
  for (const other of others) await other.stop();
  return { contested, sinkIsMissing: typeof sink === "string" ? sink : null };
}
