import { systemClock } from "../clock.ts";
import { Journeys, nowUs, stampOf } from "./journeys.ts";
import { quantile } from "./measure.ts";
import { FOLLOW_CUSTOMER } from "./operations.ts";
import { forkChild } from "./remote.ts";
import type { Measure } from "./report.ts";
import type { ServedProtocol } from "./served-protocol.ts";
import { SocketLoad } from "./socket-load.ts";

const SUBSCRIBERS = 1_000;
const SHARE_OF_CAPACITY = 0.25;
const WARM_UP_S = 2;
const SECONDS = 6;
/** Changes sent to find out how many can be. */
const SATURATING = 8_000;
const PATIENCE_MS = 10_000;
const NEVER = new AbortController().signal;

type Push = (name: "push", ask: ServedProtocol["push"]["ask"]) => Promise<null>;

/** From a change entering the source to its subscriber's socket, at a quarter of what the product can do. */
export async function screenMeasures(): Promise<readonly Measure[]> {
  const product = forkChild<ServedProtocol>("served-child");
  try {
    const port = await product.ask("serve", { customers: SUBSCRIBERS, durable: true });
    await product.ask("capacity", null);
    const unwatched = await product.ask("capacity", null);
    const journeys = new Journeys(SUBSCRIBERS);
    const load = new SocketLoad({
      port,
      count: SUBSCRIBERS,
      subscribe: (index) => ({ query: FOLLOW_CUSTOMER, variables: { id: String(index + 1) } }),
      onDelivery: (index, payload) => journeys.seen(index, stampOf(payload), nowUs()),
    });
    await load.open();
    await saturate(product.ask, journeys);
    const watched = await saturate(product.ask, journeys);
    const quarters = [
      { capacity: watched, of: "of what reaches screens at most" },
      { capacity: unwatched, of: "of what is ingested at most with nobody watching" },
    ];
    const measures: Measure[] = [];
    for (const { capacity, of } of quarters) {
      const rate = capacity * SHARE_OF_CAPACITY;
      await drive(product.ask, journeys, { rate, seconds: WARM_UP_S });
      journeys.latenciesMs.length = 0;
      await drive(product.ask, journeys, { rate, seconds: SECONDS });
      measures.push(describe(journeys.latenciesMs, { of, rate, capacity }));
    }
    load.close();
    return measures;
  } finally {
    await product.end();
  }
}

/** Keeps as many changes on their way as there are screens; answers how many a second were seen. */
async function saturate(push: Push, journeys: Journeys): Promise<number> {
  const startUs = nowUs();
  let sent = 0;
  while (sent < SATURATING) {
    const stampUs = nowUs();
    const customers: number[] = [];
    for (; journeys.left < SUBSCRIBERS && sent < SATURATING; sent += 1) {
      customers.push(1 + (sent % SUBSCRIBERS));
      journeys.sent(sent % SUBSCRIBERS, stampUs);
    }
    if (customers.length > 0) await push("push", { customers, stampUs });
    else await systemClock.wait(1, NEVER);
  }
  await arrived(journeys);
  return sent / ((nowUs() - startUs) / 1e6);
}

/** Waits until every change was seen; throws when one never is. */
async function arrived(journeys: Journeys): Promise<void> {
  const endUs = nowUs() + PATIENCE_MS * 1_000;
  while (journeys.left > 0) {
    if (nowUs() > endUs) throw new Error(`${journeys.left} changes never reached their screen`);
    await systemClock.wait(1, NEVER);
  }
}

/** Sends changes at an even rate, whatever becomes of them, then waits until all were seen. */
async function drive(
  push: Push,
  journeys: Journeys,
  { rate, seconds }: { readonly rate: number; readonly seconds: number },
): Promise<void> {
  const startUs = nowUs();
  const total = Math.round(rate * seconds);
  const pushes: Promise<null>[] = [];
  let sent = 0;
  while (sent < total) {
    await systemClock.wait(1, NEVER);
    const stampUs = nowUs();
    const due = Math.min(total, Math.floor((rate * (stampUs - startUs)) / 1e6));
    const customers: number[] = [];
    for (; sent < due; sent += 1) {
      customers.push(1 + (sent % SUBSCRIBERS));
      journeys.sent(sent % SUBSCRIBERS, stampUs);
    }
    if (customers.length > 0) pushes.push(push("push", { customers, stampUs }));
  }
  await Promise.all(pushes);
  await arrived(journeys);
}

function describe(
  latenciesMs: readonly number[],
  { of, rate, capacity }: { readonly of: string; readonly rate: number; readonly capacity: number },
): Measure {
  const whole = (value: number) => Math.round(value).toLocaleString("en-US");
  const [middle, longest] = [quantile(latenciesMs, 0.5), quantile(latenciesMs, 1)];
  return {
    name: `change to screen, p99, at a quarter ${of}`,
    value: quantile(latenciesMs, 0.99),
    unit: "ms",
    better: "lower",
    firstStep: 25,
    goal: 10,
    note:
      `p50 ${middle.toFixed(1)} ms, longest ${longest.toFixed(1)} ms; ${whole(rate)} changes/s of ${whole(capacity)}, ` +
      `${whole(SUBSCRIBERS)} subscribers; all ${whole(latenciesMs.length)} changes seen`,
  };
}
