import { describe, expect, test } from "vitest";
import type { Customer, OfferState } from "../../../src/customer/customer.ts";
import { deriveOffers, nextExpiryMs } from "../../../src/customer/derived/offers.ts";
import type { Plan } from "../../../src/customer/plan.ts";
import { condition, historyPlan, offer } from "../../helpers/history-plan.ts";

const DAY_MS = 86_400_000;
const rich = condition(({ metrics }) => Number(metrics.balance) >= 100);
const when = { kind: "when", condition: rich } as const;
const plan: Plan = {
  ...historyPlan,
  offers: [offer("gold", { trigger: when, expiresAfterMs: 30 * DAY_MS })],
};

function step(known: Customer["offers"], balance: number, nowMs: number): Customer["offers"] {
  const scope = { metrics: { balance }, rows: {}, segments: {} };
  return deriveOffers(known, { crossings: {}, scope, nowMs }, plan);
}

/** Plays balances by day and lists what the journal says after each. */
function journal(
  ...days: readonly (readonly [day: number, balance: number])[]
): (OfferState["state"] | undefined)[] {
  let offers: Customer["offers"] = {};
  return days.map(([day, balance]) => {
    offers = step(offers, balance, day * DAY_MS);
    return offers.gold?.state;
  });
}

describe("an offer", () => {
  test("is made when it is earned, with its reason and its end", () => {
    expect(step({}, 100, 1000).gold).toEqual({
      state: "TRIGGERED",
      triggeredMs: 1000,
      expiresMs: 1000 + 30 * DAY_MS,
      endedMs: null,
      because: "earned gold",
    });
  });

  test("has no entry while it was never earned", () => {
    expect(step({}, 1, 1)).toEqual({});
  });

  test("is withdrawn when it is no longer earned, never dropped, and says why", () => {
    const lost = step(step({}, 100, 1), 1, 2).gold;
    expect(lost).toMatchObject({ state: "WITHDRAWN", triggeredMs: 1, endedMs: 2 });
    expect(lost?.because).toContain('{"balance":1}');
  });

  test("is made again when it is earned again", () => {
    expect(journal([0, 100], [1, 1], [2, 100])).toEqual(["TRIGGERED", "WITHDRAWN", "TRIGGERED"]);
  });

  test("expires, and stays expired for as long as it stays earned", () => {
    expect(journal([0, 100], [30, 100], [31, 100], [400, 100])).toEqual([
      "TRIGGERED",
      "EXPIRED",
      "EXPIRED",
      "EXPIRED",
    ]);
  });

  test("that expired is made again only after it was lost in between", () => {
    expect(journal([0, 100], [30, 100], [31, 1], [32, 100])).toEqual([
      "TRIGGERED",
      "EXPIRED",
      "EXPIRED",
      "TRIGGERED",
    ]);
    expect(journal([0, 100], [30, 1], [31, 100])).toEqual(["TRIGGERED", "EXPIRED", "TRIGGERED"]);
  });

  test("that nothing happened to keeps its object", () => {
    const offers = step({}, 100, 1);
    expect(step(offers, 101, 2)).toBe(offers);
  });

  test("needs its eligibility as well as its trigger", () => {
    const closed = {
      ...plan,
      offers: [offer("gold", { trigger: when, eligibility: condition(() => false) })],
    };
    const scope = { metrics: { balance: 1000 }, rows: {}, segments: {} };
    expect(deriveOffers({}, { crossings: {}, scope, nowMs: 1 }, closed)).toEqual({});
  });

  test("on a crossing is earned when the condition was false below where it was true", () => {
    const trigger = {
      kind: "crosses",
      table: "profile",
      condition: () => true,
      text: "tickets >= 6",
    } as const;
    const crossing = { ...plan, offers: [offer("gold", { trigger })] };
    const scope = { metrics: {}, rows: {}, segments: {} };
    const made = (below?: string, above?: string) => {
      const gold = { ...(below === undefined ? {} : { below }), ...(above === undefined ? {} : { above }) };
      return "gold" in deriveOffers({}, { crossings: { gold }, scope, nowMs: 1 }, crossing);
    };
    expect([made("p1", "p2"), made("p2", "p1"), made(undefined, "p2"), made("p1")]).toEqual([
      true,
      false,
      false,
      false,
    ]);
  });
});

test("the next due time is that of the open offer that expires first", () => {
  const state = (given: Partial<OfferState>): OfferState => ({
    state: "TRIGGERED",
    triggeredMs: 0,
    expiresMs: null,
    endedMs: null,
    because: "",
    ...given,
  });
  expect(nextExpiryMs({ a: state({ expiresMs: 9 }), b: state({ expiresMs: 7 }), c: state({}) })).toBe(7);
  expect(nextExpiryMs({ a: state({ state: "EXPIRED", expiresMs: 9 }), c: state({}) })).toBeNull();
});
