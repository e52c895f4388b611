import { compare, inWords } from "./measure.ts";
import type { Side } from "./measure.ts";
import { FOLLOW_CUSTOMER } from "./operations.ts";
import { forkChild, meterOf } from "./remote.ts";
import type { Child } from "./remote.ts";
import type { Measure } from "./report.ts";
import type { RawProtocol, ServedProtocol } from "./served-protocol.ts";
import { SocketLoad } from "./socket-load.ts";

const SUBSCRIBERS = 5_000;
/** Updates of one run of the broadcast, one after the other. */
const BROADCASTS = 10;
/** Updates of every customer in one run of the unicast. */
const UNICASTS = 2;
const WATCHED_BY_ALL = "42";
const POLL_MS = 20;

/** A server with the clients on it. */
interface Loaded<P extends ServedProtocol | RawProtocol> {
  readonly child: Child<P>;
  readonly load: SocketLoad;
  /** What each of its connections added to the heap. */
  readonly heapBytes: number;
}

/**
 * Fan-out over 5,000 WebSockets, against ws that sends the same bytes. The product's update stream is in memory here: what is
 * measured begins where an update leaves the stream.
 */
export async function fanoutMeasures(): Promise<readonly Measure[]> {
  const product = forkChild<ServedProtocol>("served-child");
  const raw = forkChild<RawProtocol>("raw-child");
  try {
    const port = await product.ask("serve", { customers: SUBSCRIBERS, durable: false });
    const theirs = await loadRaw(raw);
    const all = await loadProduct(product, port, () => WATCHED_BY_ALL);
    const broadcast = await broadcastMeasures(all, theirs);
    await closed(all);
    const ownCustomer = (index: number) => String(index + 1);
    // Once before it counts: what the store keeps of these customers is no part of a subscription.
    await closed(await loadProduct(product, port, ownCustomer));
    const each = await loadProduct(product, port, ownCustomer);
    const unicast = await unicastMeasure(each, theirs);
    each.load.close();
    theirs.load.close();
    return [...broadcast, unicast, heapMeasure(each, theirs)];
  } finally {
    await Promise.all([product.end(), raw.end()]);
  }
}

async function loadRaw(child: Child<RawProtocol>): Promise<Loaded<RawProtocol>> {
  const port = await child.ask("serve", {});
  const load = new SocketLoad({ port, count: SUBSCRIBERS, subscribe: null });
  return { child, load, heapBytes: await growth(child, load) };
}

async function loadProduct(
  child: Child<ServedProtocol>,
  port: number,
  customerOf: (index: number) => string,
): Promise<Loaded<ServedProtocol>> {
  const subscribe = (index: number) => ({ query: FOLLOW_CUSTOMER, variables: { id: customerOf(index) } });
  const load = new SocketLoad({ port, count: SUBSCRIBERS, subscribe });
  return { child, load, heapBytes: await growth(child, load) };
}

/** Closes every subscription and waits until the server has let go of them. */
async function closed({ child, load }: Loaded<ServedProtocol>): Promise<void> {
  load.close();
  while ((await child.ask("subscriptions", null)) > 0)
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
}

/** Bytes of heap per connection that opening them all adds. */
async function growth<P extends ServedProtocol | RawProtocol>(
  child: Child<P>,
  load: SocketLoad,
): Promise<number> {
  const before = await child.ask("heapBytes", null);
  await load.open();
  return ((await child.ask("heapBytes", null)) - before) / SUBSCRIBERS;
}

/** One update to all, several times; each time all have it before the next begins. */
async function broadcastMeasures(
  ours: Loaded<ServedProtocol>,
  theirs: Loaded<RawProtocol>,
): Promise<readonly Measure[]> {
  const subject = await publishing(ours, [WATCHED_BY_ALL], BROADCASTS);
  const frame = ours.load.sample;
  const send = () => theirs.child.ask("broadcast", frame);
  const baseline: Side = { run: () => deliver(theirs, send, BROADCASTS), meter: meterOf(theirs.child) };
  const found = await compare(subject, baseline);
  const shared = { unit: "ratio", better: "higher", firstStep: 0.5, goal: 0.9 } as const;
  const perSecond = (rate: number) => Math.round(rate).toLocaleString("en-US");
  return [
    {
      ...shared,
      name: "broadcast to 5,000 against raw ws, deliveries per second of server CPU",
      value: 1 / found.cpuRatio,
      note: `${inWords(found, "a delivery")} of ${Buffer.byteLength(frame)} bytes`,
    },
    {
      ...shared,
      name: "broadcast to 5,000 against raw ws, deliveries per second",
      value: found.rateRatio,
      note: `${perSecond(found.subject.rate)} against ${perSecond(found.baseline.rate)} a second; one client process reads both`,
    },
  ];
}

/** An update of each customer, each for one of the subscribers. */
async function unicastMeasure(ours: Loaded<ServedProtocol>, theirs: Loaded<RawProtocol>): Promise<Measure> {
  const customers = Array.from({ length: SUBSCRIBERS }, (_, index) => String(index + 1));
  const subject = await publishing(ours, customers, UNICASTS);
  const frame = ours.load.sample;
  const send = () => theirs.child.ask("unicast", frame);
  const found = await compare(subject, {
    run: () => deliver(theirs, send, UNICASTS),
    meter: meterOf(theirs.child),
  });
  return {
    name: "unicast over 5,000 subscribers of different customers against raw ws, server CPU",
    value: found.cpuRatio,
    unit: "ratio",
    better: "lower",
    firstStep: 4,
    goal: 2,
    note: inWords(found, "a delivery"),
  };
}

/** Publishes an update of each of these customers, so many times in a run; once already, for a sample of what is sent. */
async function publishing(
  ours: Loaded<ServedProtocol>,
  customers: readonly string[],
  times: number,
): Promise<Side> {
  const prepare = (count: number) => ours.child.ask("prepare", { customers, times: count });
  const publish = () => ours.child.ask("publish", null);
  await prepare(1);
  await deliver(ours, publish, 1);
  return {
    prepare: () => prepare(times),
    run: () => deliver(ours, publish, times),
    meter: meterOf(ours.child),
  };
}

function heapMeasure(ours: Loaded<ServedProtocol>, theirs: Loaded<RawProtocol>): Measure {
  const kilobytes = (bytes: number) => (bytes / 1_000).toFixed(1);
  return {
    name: "heap per idle subscription against a raw ws connection",
    value: ours.heapBytes / theirs.heapBytes,
    unit: "ratio",
    better: "lower",
    firstStep: 2.5,
    goal: 1.5,
    note: `${kilobytes(ours.heapBytes)} KB against ${kilobytes(theirs.heapBytes)} KB; subscribers of different customers`,
  };
}

/** Begins so many deliveries to all, one after the other, and counts that all arrived and no more than those. */
async function deliver(
  { load }: Pick<Loaded<RawProtocol>, "load">,
  begin: () => Promise<null>,
  times: number,
): Promise<number> {
  for (let time = 0; time < times; time += 1) {
    const due = load.delivered + SUBSCRIBERS;
    await begin();
    await load.reached(due);
  }
  return times * SUBSCRIBERS;
}
