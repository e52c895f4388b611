import { describe, expect, test } from "vitest";
import type { Change } from "../../src/cdc/change.ts";
import { apply } from "../../src/customer/apply.ts";
import { type Customer, newCustomer, NOBODY, type Page } from "../../src/customer/customer.ts";
import type { Plan } from "../../src/customer/plan.ts";
import { change, CUSTOMER } from "../helpers/history.ts";
import { historyPlan, offer } from "../helpers/history-plan.ts";
import { applyTo, deliver, emptyWorld } from "../helpers/history-world.ts";

const profile = (seq: number, tickets: number | null, given: Partial<Change> = {}): Change =>
  change({
    table: "profile",
    key: `["${CUSTOMER}"]`,
    position: `p${seq}`,
    set: { tickets, name: "ann", seen: `2024-01-0${seq}T00:00:00Z` },
    origin: { topic: "profile", partition: 0, offset: String(seq) },
    sourceMs: 100 * seq,
    ingestedMs: 1000 * seq,
    ...given,
  });

const payment = (seq: number, key: string, amount: string): Change =>
  change({
    table: "payments",
    key: `["${key}"]`,
    page: "2024-05",
    position: `p${seq}`,
    set: { amount, category: "food", posted: "2024-05-01T00:00:00Z" },
    origin: { topic: "payments", partition: 0, offset: String(seq) },
  });

function step(
  customer: Customer,
  changes: readonly Change[],
  nowMs = 5000,
  plan: Plan = historyPlan,
): Customer {
  return apply({ customer, pages: [], changes, truncates: {}, nowMs }, plan).customer;
}

describe("announcements", () => {
  test("the first one names everything there is to see, in order", () => {
    const { outbox, revision, freshness } = step(newCustomer(CUSTOMER), [profile(1, 5)]);
    expect(revision).toBe(1);
    expect(outbox).toHaveLength(1);
    expect(outbox[0]).toMatchObject({
      customerId: CUSTOMER,
      revision: 1,
      segments: [
        { segment: "engagement", from: null, to: "HIGH" },
        { segment: "named", from: null, to: "IN" },
      ],
      offers: [],
    });
    expect(outbox[0]?.changed).toEqual(
      expect.arrayContaining(["metrics.tickets", "profile", "segments.named"]),
    );
    expect(freshness).toEqual({ sourceMs: 100, ingestedMs: 1000, appliedMs: 5000 });
  });

  test("a later one names what changed and nothing else, after those not yet published", () => {
    const one = step(newCustomer(CUSTOMER), [profile(1, 5)]);
    const two = step(one, [profile(2, 1)]);
    expect(two.outbox).toHaveLength(2);
    expect(two.outbox[0]).toBe(one.outbox[0]);
    expect(two.outbox[1]?.changed).toEqual([
      "metrics.lastSeen",
      "metrics.tickets",
      "profile",
      "segments.engagement",
      "segments.named",
    ]);
    expect(two.segments.engagement).toMatchObject({ tier: "LOW", previousTier: "HIGH" });
  });

  test("what nobody can see is stored without one", () => {
    const one = step(newCustomer(CUSTOMER), [profile(1, 5)]);
    const two = step(one, [profile(2, 5, { set: profile(1, 5).set })]);
    expect([two.revision, two.outbox, two.freshness]).toEqual([2, one.outbox, one.freshness]);
  });

  test("a customer that never had a live row is not announced", () => {
    const { revision, outbox } = step(newCustomer(CUSTOMER), [profile(2, 5, { op: "delete", set: {} })]);
    expect([revision, outbox]).toEqual([1, []]);
  });

  test("rows that wait for their owner derive nothing and announce nothing", () => {
    const waiting = step(newCustomer(NOBODY), [profile(2, 5, { op: "delete", set: {}, customerId: null })]);
    expect([waiting.revision, waiting.outbox, waiting.metrics]).toEqual([1, [], {}]);
  });

  test("freshness is that of the changes that counted", () => {
    const { freshness } = step(newCustomer(CUSTOMER), [profile(3, 5), profile(2, 9)]);
    expect(freshness).toEqual({ sourceMs: 300, ingestedMs: 3000, appliedMs: 5000 });
  });
});

test("time alone expires an offer, once", () => {
  const trigger = { kind: "when", condition: { holds: () => true, explain: () => "" } } as const;
  const plan = { ...historyPlan, offers: [offer("brief", { trigger, expiresAfterMs: 10 })] };
  const made = step(newCustomer(CUSTOMER), [profile(1, 5)], 100, plan);
  expect(made.dueMs).toBe(110);
  expect(step(made, [], 109, plan)).toBe(made);
  const expired = step(made, [], 110, plan);
  expect(expired.dueMs).toBeNull();
  expect(expired.outbox.at(-1)).toMatchObject({
    changed: ["offers.brief"],
    offers: [{ offer: "brief", from: "TRIGGERED", to: "EXPIRED" }],
    freshness: { sourceMs: 100, ingestedMs: 1000, appliedMs: 110 },
  });
  expect(step(expired, [], 999, plan)).toBe(expired);
});

test("late and blocked versions still count for history, and another customer's do not", () => {
  const one = step(newCustomer(CUSTOMER), [profile(5, 5), profile(2, 5)]);
  expect(one.metrics).toMatchObject({ firstSeen: "2024-01-02T00:00:00Z", lastSeen: "2024-01-05T00:00:00Z" });
  expect(step(one, [profile(1, 5, { customerId: "other" })])).toBe(one);
});

test("a partial version that lacks what a crossing looks at is no evidence for it", () => {
  const named = (seq: number) => profile(seq, 0, { set: { name: "bob" }, partial: true });
  const after = step(newCustomer(CUSTOMER), [named(1), profile(2, 5), named(3), profile(4, 6)]);
  expect(after.crossings.crossed).toEqual({ above: "p4" });
});

describe("pages", () => {
  const world = emptyWorld();
  deliver(world, [payment(1, "a", "1.00"), payment(2, "b", "9.00")], historyPlan);
  const stored = [...world.pages.values()];
  const only = (key: string): Page[] =>
    stored.map((page) => {
      const row = page.rows[key];
      return { ...page, rows: row === undefined ? {} : { [key]: row }, whole: false };
    });
  const partially = (changes: readonly Change[], key: string) =>
    apply({ customer: world.customer, pages: only(key), changes, truncates: {}, nowMs: 6000 }, historyPlan);

  test("a row that does not hold an extreme changes without the rest of its page", () => {
    const { needsWhole, pages, customer } = partially([payment(3, "c", "2.00")], '["c"]');
    expect([needsWhole, Object.keys(pages[0]?.rows ?? {})]).toEqual([[], ['["c"]']]);
    expect(customer.metrics).toMatchObject({ payments: 3, spent: "12.00", greatest: "9.00" });
  });

  test("an extreme that leaves asks for the whole page, and nothing is answered before", () => {
    const answer = partially([payment(3, "b", "2.00")], '["b"]');
    expect(answer.needsWhole).toHaveLength(1);
    expect(answer.pages).toEqual([]);
    expect(answer.customer).toBe(world.customer);
    expect(applyTo(world, [payment(3, "b", "2.00")], historyPlan).customer.metrics.greatest).toBe("2.00");
  });

  test("a page ahead of its note brings the customer up to date, though all its changes are duplicates", () => {
    const again = [payment(1, "a", "1.00"), payment(2, "b", "9.00")];
    const pages = stored;
    const behind = newCustomer(CUSTOMER);
    const { customer, judged } = apply(
      { customer: behind, pages, changes: again, truncates: {}, nowMs: 7000 },
      historyPlan,
    );
    expect(judged.map(({ verdict }) => verdict)).toEqual(["duplicate", "duplicate"]);
    expect(customer.metrics).toMatchObject({ payments: 2, spent: "10.00" });
    expect(customer.outbox.at(-1)?.changed).toContain("payments");
  });

  test("a truncate asks for every page of the table that holds rows", () => {
    const truncate = change({ table: "payments", op: "truncate", key: "", customerId: null, position: "p2" });
    const { customer } = world;
    const answer = apply({ customer, pages: [], changes: [truncate], truncates: {}, nowMs: 1 }, historyPlan);
    expect(answer.needsWhole.map(({ page }) => page)).toEqual(["2024-05"]);
    const swept = applyTo(world, [truncate], historyPlan);
    expect(swept.customer.metrics).toMatchObject({ payments: 1, spent: "9.00", least: "9.00" });
  });
});
