import { setTimeout as pause } from "node:timers/promises";
import { Journeys, nowUs, stampOf } from "../../src/bench/journeys.ts";
import { median, quantile } from "../../src/bench/measure.ts";
import { FOLLOW_CUSTOMER_AND_CLOCKS } from "../../src/bench/operations.ts";
import type { Measure } from "../../src/bench/report.ts";
import { STAMP } from "../../src/bench/served-protocol.ts";
import { SocketLoad } from "../../src/bench/socket-load.ts";
import { startProgram } from "../servers/program.ts";
import { ourEnvironment, pipelineFile, type Ours } from "./contenders.ts";
import type { EngineParts } from "./engine.ts";
import { Legs } from "./legs.ts";
import { observedBy, type Observed } from "./our-metrics.ts";
import { until } from "./turns.ts";
import { residentMb } from "./usage.ts";
import type { Changes } from "./workloads.ts";

const SUBSCRIBERS = 1_000;
const MANY_SUBSCRIBERS = 5_000;
const WARM_UP_S = 2;
const [LEAST_WARM_UPS, MOST_WARM_UPS] = [6, 15];
/** So many in a row that bring next to nothing are enough. */
const VAIN_WARM_UPS = 2;
const STILL_FALLING = 0.9;
const SATURATING = 8_000;
const TICK_MS = 2;

interface Screens {
  readonly ours: Ours;
  readonly changes: Changes;
  readonly parts: EngineParts;
}

/** From a record on its way to Kafka to the WebSocket of a client of an API process, at shares of what reaches screens at most; and the memory of that process. */
export async function screenMeasures(screens: Screens): Promise<readonly Measure[]> {
  const { ours, parts } = screens;
  const env = ourEnvironment(parts.place, ours.name);
  const api = await startProgram({ role: "api", pipeline: pipelineFile(ours.topic), env });
  try {
    const journeys = new Journeys(SUBSCRIBERS);
    const legs = new Legs();
    const load = loadOf(api.port, SUBSCRIBERS, (index, payload) => {
      const [stampUs, atUs] = [stampOf(payload), nowUs()];
      journeys.seen(index, stampUs, atUs);
      legs.seen(payload, stampUs, atUs);
    });
    await load.open();
    const push = pusher(screens, journeys);
    for (let warm = 0; warm < 2; warm += 1) await saturate(journeys, push);
    const capacity = await saturate(journeys, push);
    const measures: Measure[] = [];
    for (const share of [0.25, 0.75]) {
      const rate = capacity * share;
      await warmUp(journeys, push, rate);
      journeys.latenciesMs.length = 0;
      legs.clear();
      const before = await published(ours);
      await drive(journeys, push, { rate, seconds: parts.settings.seconds });
      measures.push(described([...journeys.latenciesMs], { share, rate, capacity }));
      measures.push(...legs.measures(`at ${share * 100} %`, meanMs(before, await published(ours))));
    }
    load.close();
    const many = loadOf(api.port, MANY_SUBSCRIBERS, () => {});
    await many.open();
    await push(Array.from({ length: SUBSCRIBERS }, (_, at) => at));
    await pause(1_000);
    measures.push(
      memoryOf("the API process with 5,000 subscriptions", api.pid(), { firstStep: 300, goal: 300 }),
    );
    many.close();
    return measures;
  } finally {
    await api.stop();
  }
}

/** How long the updates of each batch took from applied to published. */
const published = ({ url }: Ours): Promise<Observed> => observedBy(url, "lag_seconds", 'clock="applied"');

const meanMs = (before: Observed, after: Observed): number =>
  ((after.seconds - before.seconds) * 1_000) / (after.count - before.count);

const loadOf = (
  port: number,
  count: number,
  onDelivery: (index: number, payload: Buffer) => void,
): SocketLoad =>
  new SocketLoad({
    port,
    count,
    subscribe: (index) => ({ query: FOLLOW_CUSTOMER_AND_CLOCKS, variables: { id: String(index + 1) } }),
    onDelivery,
  });

/** Resident memory of a process as a row. */
export function memoryOf(
  what: string,
  pid: number,
  bars: { readonly firstStep: number | null; readonly goal: number | null },
): Measure {
  return {
    name: `memory of ${what}`,
    value: residentMb(pid),
    unit: "MB",
    better: "lower",
    ...bars,
    note: "resident",
  };
}

/** Sends a change of each of these subscribers, counted from 0, stamped now. */
type Push = (subscribers: readonly number[]) => Promise<void>;

function pusher({ ours, changes, parts }: Screens, journeys: Journeys): Push {
  return async (subscribers) => {
    const stampUs = nowUs();
    const note = `${STAMP.before}${stampUs}${STAMP.after}`;
    for (const subscriber of subscribers) journeys.sent(subscriber, stampUs);
    await parts.feed.send(
      ours.topic,
      subscribers.map((subscriber) => changes.change(subscriber + 1, undefined, note)),
    );
  };
}

const arrived = (journeys: Journeys) => until(() => journeys.left === 0, "every change was seen");

/** Keeps as many changes on their way as there are screens; answers how many a second were seen. */
async function saturate(journeys: Journeys, push: Push): Promise<number> {
  const startUs = nowUs();
  let sent = 0;
  while (sent < SATURATING) {
    const free = Math.min(SUBSCRIBERS - journeys.left, SATURATING - sent);
    if (free > 0) await push(Array.from({ length: free }, (_, at) => (sent + at) % SUBSCRIBERS));
    else await pause(1);
    sent += free;
  }
  await arrived(journeys);
  return sent / ((nowUs() - startUs) / 1e6);
}

/** Sends changes at an even rate, whatever becomes of them, then waits until all were seen. */
async function drive(
  journeys: Journeys,
  push: Push,
  { rate, seconds }: { readonly rate: number; readonly seconds: number },
): Promise<void> {
  const startUs = nowUs();
  const total = Math.round(rate * seconds);
  const pushes: Promise<void>[] = [];
  let sent = 0;
  while (sent < total) {
    await pause(TICK_MS);
    const due = Math.min(total, Math.floor((rate * (nowUs() - startUs)) / 1e6));
    if (due > sent)
      pushes.push(push(Array.from({ length: due - sent }, (_, at) => (sent + at) % SUBSCRIBERS)));
    sent = Math.max(sent, due);
  }
  await Promise.all(pushes);
  await arrived(journeys);
}

/** Sends at a rate for as long as it makes the median fall: virtual machines and engines compile the way of few changes at once when they first meet it. */
async function warmUp(journeys: Journeys, push: Push, rate: number): Promise<void> {
  let best = Infinity;
  let vain = 0;
  for (let done = 0; done < MOST_WARM_UPS && (done < LEAST_WARM_UPS || vain < VAIN_WARM_UPS); done += 1) {
    journeys.latenciesMs.length = 0;
    await drive(journeys, push, { rate, seconds: WARM_UP_S });
    const now = median(journeys.latenciesMs);
    vain = now > best * STILL_FALLING ? vain + 1 : 0;
    best = Math.min(best, now);
  }
}

function described(
  latenciesMs: readonly number[],
  { share, rate, capacity }: { readonly share: number; readonly rate: number; readonly capacity: number },
): Measure {
  const whole = (value: number) => Math.round(value).toLocaleString("en-US");
  const at = (q: number) => `${quantile(latenciesMs, q).toFixed(1)} ms`;
  return {
    name: `change to screen through Kafka, store and Redis, p99, at ${share * 100} % of what reaches screens at most`,
    value: quantile(latenciesMs, 0.99),
    unit: "ms",
    better: "lower",
    firstStep: share === 0.25 ? 25 : null,
    goal: share === 0.25 ? 10 : null,
    note:
      `p50 ${at(0.5)}, p99.9 ${at(0.999)}; ${whole(rate)} changes/s of ${whole(capacity)}, ` +
      `${whole(SUBSCRIBERS)} subscribers; all ${whole(latenciesMs.length)} changes seen`,
  };
}
