import type { Value } from "../../src/cdc/change.ts";
import type { ColumnPlan, ColumnType } from "../../src/cdc/table.ts";
import { newCustomer } from "../../src/customer/customer.ts";
import type { Customer, OfferState, Row, SegmentState } from "../../src/customer/customer.ts";
import type { MetricType, Plan } from "../../src/customer/plan.ts";
import type { CustomerOffer, Frame, SegmentMember } from "../../src/resolvers/frames/frames.ts";
import { pick } from "./random-operations.ts";
import type { Random } from "./random-operations.ts";

/** Texts that are awkward in JSON, and plain ones. */
const TEXTS = [
  "",
  "plain",
  'a "quoted" \\ text',
  "line\nand\ttab\u0000\u001f\u007f",
  "Łódź, 東京, 😀",
  "half \ud83d of a pair",
  "\u2028 and \u2029",
  "long ".repeat(40),
  `long "${"ü".repeat(100)}`,
];

const VALUES: Readonly<Record<ColumnType | MetricType, readonly Value[]>> = {
  text: TEXTS,
  enum: ["ONE", "TWO"],
  uuid: ["0a6f5b4e-57c1-4d0e-9a34-000000000000"],
  bytes: ["AAEC"],
  json: ['{"a":[1,2.50,"x"]}', "null"],
  int: [0, -1, 2_147_483_647, -0],
  bigint: ["9007199254740993", "-1"],
  decimal: ["12.50", "-0.01", "NaN"],
  float: [0.1, -0, 1e21, 5e-7, "NaN", "-Infinity"],
  boolean: [true, false],
  date: ["2024-05-17", "infinity"],
  time: ["23:59:59.999999"],
  timestamp: ["2024-05-17T10:00:00.123456Z", "infinity"],
};

/** What no column should hold: some of it is an error to GraphQL. */
const ODD: readonly unknown[] = [undefined, 1e100, {}, [], "odd", true, 1.5, new Error("stored")];

/** Makes customers and frames of a plan, of every shape; `oddity` is the share of values that are of the wrong type. */
export function randomCustomers(plan: Plan, random: Random, oddity: number) {
  const value = (type: ColumnType | MetricType): Value => {
    if (random() < oddity) return pick(random, ODD) as Value;
    return random() < 0.15 ? null : pick(random, VALUES[type]);
  };
  const columnValue = ({ type, list }: ColumnPlan): Value =>
    list && random() < 0.9
      ? Array.from({ length: Math.floor(random() * 3) }, () => value(type))
      : value(type);
  const ms = () => Math.floor(random() * 1.8e12);
  const orNull = <T>(made: T): T | null => (random() < 0.3 ? null : made);
  const rowOf = (columns: readonly ColumnPlan[]): Row => ({
    at: String(Math.floor(random() * 100)),
    live: random() < 0.9,
    values: Object.fromEntries(columns.map((column) => [column.name, columnValue(column)])),
    origin: { topic: "t", partition: 0, offset: "0" },
  });
  const tiersOf = (segment: Plan["segments"][number]) => [
    ...segment.tiers.map(({ name }) => name),
    ...(segment.otherwise === null ? [] : [segment.otherwise]),
  ];
  const segmentState = (segment: Plan["segments"][number]): SegmentState => ({
    state: random() < 0.7 ? "IN" : "OUT",
    tier: segment.when === null ? pick(random, tiersOf(segment)) : null,
    previousTier: segment.when === null ? orNull(pick(random, tiersOf(segment))) : null,
    enteredMs: ms(),
    because: pick(random, TEXTS),
  });
  const offerState = (): OfferState => ({
    state: pick(random, ["TRIGGERED", "WITHDRAWN", "EXPIRED"] as const),
    triggeredMs: ms(),
    expiresMs: orNull(ms()),
    endedMs: orNull(ms()),
    because: pick(random, TEXTS),
  });
  const some = <T, V>(all: readonly T[], entry: (each: T) => readonly [string, V]): Record<string, V> =>
    Object.fromEntries(all.filter(() => random() < 0.7).map(entry));

  const customer = (customerId: string): Customer => ({
    ...newCustomer(customerId),
    revision: Math.floor(random() * 1_000),
    tables: some(plan.tables, (table) => [
      table.name,
      Object.fromEntries(
        Array.from({ length: Math.floor(random() * 4) }, (_, index) => [
          `["${index}"]`,
          rowOf(table.columns),
        ]),
      ),
    ]),
    metrics: some(plan.metrics, (metric) => [metric.name, value(metric.type)]),
    segments: some(plan.segments, (segment) => [segment.name, segmentState(segment)]),
    offers: some(plan.offers, (offer) => [offer.name, offerState()]),
    freshness: { sourceMs: orNull(ms()), ingestedMs: orNull(ms()), appliedMs: ms() },
  });
  const age = () => ({
    sourceMs: orNull(ms()),
    ingestedMs: orNull(ms()),
    appliedMs: orNull(ms()),
    sentMs: ms(),
  });

  const items = (of: "customers" | "segments" | "offers") => {
    const customers = ["1", "2", "3"].filter(() => random() < 0.7).map(customer);
    const members: SegmentMember[] = customers.flatMap((each) =>
      Object.entries(each.segments).map(([segment, state]) => ({ customer: each, segment, state })),
    );
    const offers: CustomerOffer[] = customers.flatMap((each) =>
      Object.entries(each.offers).map(([offer, state]) => ({ customer: each, offer, state })),
    );
    if (of === "customers") return { of, customers };
    return of === "segments" ? { of, members } : { of, offers };
  };

  const frame = (of: "customers" | "segments" | "offers"): Frame => {
    const common = { cursor: pick(random, TEXTS), age: age() };
    const share = random();
    if (share < 0.3) return { kind: "snapshot", ...common, items: items(of), complete: random() < 0.5 };
    if (share < 0.38) return { kind: "gap", ...common, missed: orNull(3), reason: "RETENTION" };
    if (share < 0.44) return { kind: "progress", ...common };
    if (share < 0.5)
      return { kind: "ended", ...common, cursor: orNull("end"), reason: "DRAINING", retryable: true };
    const changed = customer("7");
    return {
      kind: "change",
      ...common,
      customer: changed,
      revision: changed.revision,
      changed: plan.metrics.slice(0, 2).map(({ name }) => `metrics.${name}`),
      segments: plan.segments.map((segment) => ({
        segment: segment.name,
        from: segment.when === null ? orNull(pick(random, tiersOf(segment))) : orNull("OUT"),
        to: segment.when === null ? pick(random, tiersOf(segment)) : "IN",
      })),
      offers: plan.offers.map(({ name }) => ({
        offer: name,
        from: orNull("WITHDRAWN" as const),
        to: "TRIGGERED",
      })),
      matches: random() < 0.9,
      freshness: changed.freshness,
      age: common.age,
    };
  };
  return { customer, frame };
}
