import { setTimeout as delay } from "node:timers/promises";
import { loadPlan } from "../../src/plan/load.ts";
import { silentLog } from "../../src/log.ts";
import { readProgressName } from "../../src/ingest/kafka/position.ts";
import { openMongoStore } from "../../src/store/mongo/store.ts";
import { until } from "../servers/ports.ts";
import { audit } from "./audit.ts";
import { History, PIPELINE, PROBES, WATCHED_IDS } from "./history.ts";
import { inject } from "./nemesis.ts";
import { program } from "./plants.ts";
import { probing } from "./recovery.ts";
import { schedule, type Fault } from "./schedule.ts";
import type { Settings } from "./settings.ts";
import { startStack, type Stack } from "./stack.ts";
import { Subscriber } from "./subscriber.ts";
import { Topics } from "./topics.ts";
import { overSse, overWebSocket } from "./transports.ts";
import { judge, type Verdict } from "./verdict.ts";

/** A fault that was injected and what came after it. */
export interface Injected extends Fault {
  /** From its end (the process answers again, the link works again) until changes of all partitions are on all screens. */
  readonly recoveryMs: number;
}

/** What a run came to. */
export interface Outcome {
  readonly injected: readonly Injected[];
  readonly verdict: Verdict;
  readonly produced: number;
  readonly reconnects: number;
  readonly seconds: number;
  /** Changes fed per second, and what the trial came to. */
  readonly pace: { readonly fed: number; readonly possible: number };
}

/** What is told while it runs, line by line. */
export type Tell = (line: string) => void;

/**
 * What is fed besides faults, at least and at most: half of what a trial shows to be possible, or recovery would be the time a backlog takes.
 * A machine that cannot take the least shows just that, and comes to an end all the same.
 */
const CHANGES_PER_SECOND = { least: 150, most: 1_000 };
/** Records of the trial: the first warm up, the others are measured. A long run is measured as it will go on: compiled. */
function trialOf(changes: number): { readonly warmUp: number; readonly measured: number } {
  const warmUp = Math.max(500, Math.round(changes / 200));
  return { warmUp, measured: 4 * warmUp };
}
const SLICE_MS = 100;
const QUIET_MS = 300_000;
const CUSTOMERS_PER_CHANGE = 1 / 100;

/** Subscribers of both API processes: each watched customer, all customers, and some who only want the newest. */
function subscribe({ api }: Stack): readonly { customerId: string | null; subscriber: Subscriber }[] {
  return api.flatMap(({ name, url }) => {
    const one = (customerId: string | null, mode: "EVERY" | "LATEST", transport = overWebSocket) => ({
      customerId,
      subscriber: new Subscriber({
        name: `${name}, ${mode} of ${customerId ?? "all"}${transport === overSse ? " (SSE)" : ""}`,
        ...{ url, customerId, mode, transport },
      }),
    });
    return [
      ...[...PROBES, ...WATCHED_IDS.slice(0, 6)].map((customerId) => one(customerId, "EVERY")),
      ...[...WATCHED_IDS.slice(0, 2), "c1"].map((customerId) => one(customerId, "LATEST")),
      ...WATCHED_IDS.slice(6, 9).map((customerId) => one(customerId, "EVERY", overSse)),
      one("c2", "LATEST", overSse),
      one(null, "EVERY"),
      one(null, "LATEST"),
      one(null, "EVERY", overSse),
    ];
  });
}

/** Waits until ingest is done with all that lies in Kafka. */
async function quiet(stack: Stack, topics: Topics): Promise<void> {
  const ends = await topics.ends();
  const store = await openMongoStore({
    uri: stack.storeUri,
    plan: loadPlan(PIPELINE, "faults.yaml"),
    log: silentLog,
  });
  try {
    const isDone = async (): Promise<boolean> => {
      const reached = new Map(
        (await store.checkpoints())
          .map((one) => ({ ...one, ...readProgressName(one.topic) }))
          .sort((a, b) => a.life - b.life)
          .map((one) => [`${one.topic}/${one.partition}`, one.nextOffset]),
      );
      await delay(200);
      return [...ends].every(([name, end]) => end === "0" || reached.get(name) === end);
    };
    await until(isDone, AbortSignal.timeout(QUIET_MS));
  } finally {
    await store.close();
  }
}

/** How many changes a second go through when nothing is in the way. */
async function trial({ stack, topics, history, changes }: Driving): Promise<number> {
  const { warmUp, measured } = trialOf(changes);
  await topics.produce(history.take(warmUp));
  await quiet(stack, topics);
  const begun = performance.now();
  await topics.produce(history.take(measured));
  await quiet(stack, topics);
  return Math.round(measured / ((performance.now() - begun) / 1_000));
}

/** Changes go on, evenly, from before the fault until after it. */
async function load(
  topics: Topics,
  history: History,
  { count, ms }: { count: number; ms: number },
): Promise<void> {
  const slices = Math.ceil(ms / SLICE_MS);
  for (let slice = 0; slice < slices; slice += 1) {
    await topics.produce(history.take(Math.ceil(count / slices)));
    await delay(SLICE_MS);
  }
}

/** Changes beyond which servers are started for a long life. */
const LONG_RUN = 200_000;

/** Drives changes through the processes while faults are injected, and judges what came of it. */
export async function run(settings: Settings, tell: Tell): Promise<Outcome> {
  const { changes, faults: count, seed, kinds, plant } = settings;
  const begun = performance.now();
  const faults = schedule({ seed, count, ...(kinds === null ? {} : { kinds }) });
  tell(`seed ${seed}: ${changes} changes, ${count} faults${plant === null ? "" : `, planted: ${plant}`}`);
  faults.forEach(({ kind, which, holdMs }, at) => tell(`  ${at + 1}. ${kind} ${which} for ${holdMs} ms`));
  const history = new History({ seed, customers: Math.max(50, Math.round(changes * CUSTOMERS_PER_CHANGE)) });
  let topics: Topics | null = null;
  const stack = await startStack({
    dist: program(plant),
    lasting: changes > LONG_RUN,
    prepare: async ({ brokers }) => {
      topics = new Topics(brokers);
      await topics.create();
    },
  });
  const subscribers = subscribe(stack);
  try {
    if (topics === null) throw new Error("no topics");
    return await drive({ topics, history, stack, subscribers, faults, changes, begun, tell });
  } finally {
    await Promise.all(subscribers.map(({ subscriber }) => subscriber.stop()));
    await (topics as Topics | null)?.stop();
    await stack.stop();
  }
}

interface Driving {
  readonly topics: Topics;
  readonly history: History;
  readonly stack: Stack;
  readonly subscribers: ReturnType<typeof subscribe>;
  readonly faults: readonly Fault[];
  readonly changes: number;
  readonly begun: number;
  readonly tell: Tell;
}

async function drive(given: Driving): Promise<Outcome> {
  const { topics, history, stack, subscribers, faults, changes, begun, tell } = given;
  const watchers = new Map(
    PROBES.map((customer) => [
      customer,
      subscribers.filter(({ customerId }) => customerId === customer).map(({ subscriber }) => subscriber),
    ]),
  );
  const { probe } = probing(topics, history, watchers);
  tell(`everything is there; the first changes took ${Math.round(await probe())} ms`);
  const injected: Injected[] = [];
  const possible = await trial(given);
  const { least, most } = CHANGES_PER_SECOND;
  const fed = Math.round(Math.min(most, Math.max(least, possible / 2)));
  tell(`${possible} changes a second are possible; ${fed} are fed`);
  const each = Math.ceil((changes - history.made) / Math.max(1, faults.length));
  for (const fault of faults.length === 0 ? [null] : faults) {
    const ms = Math.max((fault?.holdMs ?? 0) + 2_000, (each / fed) * 1_000);
    const injecting = async (what: Fault): Promise<void> => {
      await delay(500);
      await inject(what, stack, topics);
      const recoveryMs = Math.round(await probe());
      injected.push({ ...what, recoveryMs });
      tell(`${injected.length}. ${what.kind} ${what.which}: recovered after ${recoveryMs} ms`);
    };
    await Promise.all([
      load(topics, history, { count: each, ms }),
      ...(fault === null ? [] : [injecting(fault)]),
    ]);
  }
  await topics.produce(history.rest());
  await quiet(stack, topics);
  await probe();
  await quiet(stack, topics);
  tell(`at rest after ${Math.round((performance.now() - begun) / 1_000)} s; comparing`);
  await settled(subscribers.map(({ subscriber }) => subscriber));
  const audits = await Promise.all(stack.api.map(({ url }) => audit(url)));
  const truth = await topics.truth();
  const logs = subscribers.map(({ subscriber }) => subscriber.log);
  return {
    injected,
    verdict: judge({ truth, audits, logs, made: history.made }),
    produced: [...truth.records.values()].reduce((sum, records) => sum + records, 0),
    reconnects: subscribers.reduce((sum, { subscriber }) => sum + subscriber.connections - 1, 0),
    seconds: Math.round((performance.now() - begun) / 1_000),
    pace: { fed, possible },
  };
}

/** Waits until nobody has been sent anything for a while. */
async function settled(subscribers: readonly Subscriber[]): Promise<void> {
  const frames = (): number => subscribers.reduce((sum, { log }) => sum + log.changes, 0);
  for (let before = -1, now = frames(); now !== before; now = frames()) {
    before = now;
    await delay(3_000);
  }
}
