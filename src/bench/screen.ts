import { systemClock } from "../clock.ts";
import { quantile } from "./measure.ts";
import { FOLLOW_CUSTOMER } from "./operations.ts";
import { forkChild } from "./remote.ts";
import type { Measure } from "./report.ts";
import { STAMP } from "./served-protocol.ts";
import type { ServedProtocol } from "./served-protocol.ts";
import { SocketLoad } from "./socket-load.ts";

const SUBSCRIBERS = 1_000;
const SHARE_OF_CAPACITY = 0.25;
const WARM_UP_S = 2;
const SECONDS = 8;
const PATIENCE_MS = 10_000;

/** The machine's monotonic clock, the same in all its processes; microseconds. */
function nowUs(): number {
  return Number(process.hrtime.bigint() / 1_000n);
}

/** Changes on their way: by customer, the stamps whose change has not been seen yet, oldest first. */
class Journeys {
  readonly #under: number[][];
  readonly latenciesMs: number[] = [];
  #left = 0;

  constructor(customers: number) {
    this.#under = Array.from({ length: customers }, () => []);
  }

  /** Changes sent and not seen. */
  get left(): number {
    return this.#left;
  }

  sent(customer: number, stampUs: number): void {
    this.#under[customer]?.push(stampUs);
    this.#left += 1;
  }

  /** A screen shows the change with this stamp, and so every earlier one of this customer as well. */
  seen(customer: number, stampUs: number, atUs: number): void {
    const under = this.#under[customer] ?? [];
    for (let oldest = under[0]; oldest !== undefined && oldest <= stampUs; oldest = under[0]) {
      under.shift();
      this.#left -= 1;
      this.latenciesMs.push((atUs - oldest) / 1_000);
    }
  }
}

const BEFORE = Buffer.from(STAMP.before);
const AFTER = STAMP.after.charCodeAt(0);

/** The stamp in a delivery. Throws when there is none. */
function stampOf(payload: Buffer): number {
  const start = payload.indexOf(BEFORE) + BEFORE.length;
  const end = payload.indexOf(AFTER, start);
  const stamp = Number(payload.toString("latin1", start, end));
  if (start < BEFORE.length || !Number.isSafeInteger(stamp)) throw new Error("a delivery without a stamp");
  return stamp;
}

/** From a change entering the source to its subscriber's socket, at a quarter of what the durable path can do. */
export async function screenMeasures(): Promise<readonly Measure[]> {
  const product = forkChild<ServedProtocol>("served-child");
  try {
    const port = await product.ask("serve", { customers: SUBSCRIBERS, durable: true });
    await product.ask("capacity", null);
    const capacity = await product.ask("capacity", null);
    const rate = capacity * SHARE_OF_CAPACITY;
    const journeys = new Journeys(SUBSCRIBERS);
    const load = new SocketLoad({
      port,
      count: SUBSCRIBERS,
      subscribe: (index) => ({ query: FOLLOW_CUSTOMER, variables: { id: String(index + 1) } }),
      onDelivery: (index, payload) => journeys.seen(index, stampOf(payload), nowUs()),
    });
    await load.open();
    await drive(product.ask, journeys, { rate, seconds: WARM_UP_S });
    const warm = journeys.latenciesMs.length;
    await drive(product.ask, journeys, { rate, seconds: SECONDS });
    load.close();
    return describe(journeys.latenciesMs.slice(warm), capacity);
  } finally {
    await product.end();
  }
}

/** Sends changes at an even rate, whatever becomes of them, then waits until all were seen. */
async function drive(
  ask: (name: "push", ask: ServedProtocol["push"]["ask"]) => Promise<null>,
  journeys: Journeys,
  { rate, seconds }: { readonly rate: number; readonly seconds: number },
): Promise<void> {
  const never = new AbortController().signal;
  const startUs = nowUs();
  const total = Math.round(rate * seconds);
  const pushes: Promise<null>[] = [];
  let sent = 0;
  while (sent < total) {
    await systemClock.wait(1, never);
    const stampUs = nowUs();
    const due = Math.min(total, Math.floor((rate * (stampUs - startUs)) / 1e6));
    const customers: number[] = [];
    for (; sent < due; sent += 1) {
      customers.push(1 + (sent % SUBSCRIBERS));
      journeys.sent(sent % SUBSCRIBERS, stampUs);
    }
    if (customers.length > 0) pushes.push(ask("push", { customers, stampUs }));
  }
  await Promise.all(pushes);
  const endUs = nowUs() + PATIENCE_MS * 1_000;
  while (journeys.left > 0) {
    if (nowUs() > endUs) throw new Error(`${journeys.left} changes of ${total} never reached their screen`);
    await systemClock.wait(5, never);
  }
}

function describe(latenciesMs: readonly number[], capacity: number): readonly Measure[] {
  const whole = (value: number) => Math.round(value).toLocaleString("en-US");
  const load = `${whole(capacity * SHARE_OF_CAPACITY)} changes/s of ${whole(capacity)} possible, ${whole(SUBSCRIBERS)} subscribers`;
  const greatest = latenciesMs.reduce((most, each) => Math.max(most, each), 0);
  const shared = { unit: "ms", better: "lower" } as const;
  return [
    {
      ...shared,
      name: "change to screen at 25 % load, p99",
      value: quantile(latenciesMs, 0.99),
      firstStep: 25,
      goal: 10,
      note: `${load}; ${whole(latenciesMs.length)} changes, all seen; the longest ${greatest.toFixed(1)} ms`,
    },
    {
      ...shared,
      name: "change to screen at 25 % load, p50",
      value: quantile(latenciesMs, 0.5),
      firstStep: null,
      goal: 1,
      note: "the same changes",
    },
  ];
}
