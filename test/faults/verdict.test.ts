import { expect, test } from "vitest";
import type { Audit, AuditedCustomer } from "./audit.ts";
import { History, PAYMENTS } from "./history.ts";
import { SubscriberLog } from "./subscriber-log.ts";
import { Truth } from "./truth.ts";
import { isSound, judge } from "./verdict.ts";

/** The truth of a short history that reached Kafka whole, and a program that shows just that. */
function world() {
  const history = new History({ seed: 5, customers: 20 });
  const truth = new Truth();
  const records = [...history.take(2_000), ...history.rest()];
  records.forEach((record, at) => truth.add({ ...record, offset: String(at) }));
  const customers = new Map<string, AuditedCustomer>();
  for (const [customerId, { score, payments }] of truth.customers()) {
    const cents = [...payments.values()].reduce((sum, one) => sum + one, 0);
    const spend = (cents / 100).toFixed(2);
    customers.set(customerId, { customerId, revision: 7, score, spend, count: payments.size, payments });
  }
  const audit: Audit = {
    customers,
    counted: truth.records,
    quarantined: [...truth.poison],
  };
  return { truth, audit, made: history.made, customers };
}

test("a history has all that is to be told apart: both tables, poison, deletes, owners that change", () => {
  const { truth, customers } = world();
  expect([...truth.records.keys()].sort()).toEqual(["payments", "people"]);
  expect(truth.poison.size).toBeGreaterThan(0);
  expect([...truth.poison].every((place) => place.startsWith(PAYMENTS))).toBe(true);
  expect(customers.size).toBeGreaterThan(20);
});

test("the same seed makes the same history", () => {
  const [one, other] = [3, 3].map((seed) => new History({ seed, customers: 9 }).take(500));
  expect(one).toEqual(other);
  expect(new History({ seed: 4, customers: 9 }).take(500)).not.toEqual(one);
});

test("what is as it must be is sound", () => {
  const { truth, audit, made } = world();
  expect(isSound(judge({ truth, audits: [audit], logs: [], made }))).toBe(true);
});

test("each thing that is not as it must be is found", () => {
  const { truth, audit, made, customers } = world();
  const found = (changed: Partial<Audit>, all = made) => {
    const { lost, doubled, silentGaps, wrong } = judge({
      ...{ truth, audits: [{ ...audit, ...changed }], logs: [], made: all },
    });
    return [lost, doubled, silentGaps, wrong].map(({ length }) => length);
  };
  const [first] = [...customers.values()].filter(({ payments }) => payments.size > 1);
  if (first === undefined) throw new Error("nobody has two payments");
  const altered = (change: Partial<AuditedCustomer>) =>
    found({ customers: new Map([...customers, [first.customerId, { ...first, ...change }]]) });
  expect(altered({ score: 1_000 })).toEqual([0, 0, 0, 1]);
  expect(altered({ spend: "999999.00" })).toEqual([0, 1, 0, 0]);
  expect(altered({ count: 0 })).toEqual([0, 0, 0, 1]);
  expect(altered({ payments: new Map([...first.payments].slice(1)) })).toEqual([1, 0, 0, 0]);
  expect(altered({ payments: new Map([...first.payments, ["x", 1]]) })).toEqual([0, 0, 0, 1]);
  expect(found({ quarantined: audit.quarantined.slice(1) })).toEqual([1, 0, 0, 0]);
  expect(found({ quarantined: [...audit.quarantined, "a/0/1"] })).toEqual([0, 0, 0, 1]);
  expect(found({ quarantined: [...audit.quarantined, ...audit.quarantined.slice(1, 2)] })).toEqual([
    ...[0, 1, 0, 0],
  ]);
  expect(found({ counted: new Map() })).toEqual([2, 0, 0, 0]);
  expect(found({}, made + 1)).toEqual([1, 0, 0, 0]);
});

test("a subscriber that does not end at the last state was left behind in silence", () => {
  const { truth, audit, made } = world();
  const log = new SubscriberLog({ name: "one", isEvery: true, isWhole: false });
  const shown = { customerId: "watched-0", revision: 6, score: null, spend: "0.01", payments: 1 };
  log.take({ __typename: "CustomerSnapshot", customers: [shown], complete: true });
  expect(judge({ truth, audits: [audit], logs: [log], made }).silentGaps).toHaveLength(1);
});

test("a subscriber of all customers must have been told of each", () => {
  const { truth, audit, made, customers } = world();
  const log = new SubscriberLog({ name: "one", isEvery: true, isWhole: true });
  expect(judge({ truth, audits: [audit], logs: [log], made }).silentGaps).toHaveLength(customers.size);
});
