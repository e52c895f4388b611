import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LIVELY_CUSTOMERS, schedule } from "../../src/demo/schedule.ts";

const customers = fc.integer({ min: 1, max: 3_000 });
const step = fc.integer({ min: 0, max: 50_000_000 });

describe("the demo's schedule", () => {
  test("the step of a visit is where the visit was made", () => {
    fc.assert(
      fc.property(customers, step, (count, at) => {
        const plan = schedule(count);
        expect(plan.step(plan.visit(at))).toBe(at);
      }),
    );
  });

  test("versions of a kind count up by one for each customer", () => {
    const plan = schedule(37);
    const next = new Map<string, number>();
    for (let at = 0; at < 20_000; at++) {
      const { customer, kind, version } = plan.visit(at);
      const key = `${customer} ${kind}`;
      expect(version).toBe(next.get(key) ?? 0);
      next.set(key, version + 1);
    }
    expect(new Set([...next.keys()].map((key) => key.split(" ")[0])).size).toBe(37);
  });

  test("the first customers are visited far more often than the others", () => {
    const plan = schedule(1_000);
    const visits = Array.from({ length: 10_000 }, (_, at) => plan.visit(at).customer);
    expect(visits.filter((customer) => customer < LIVELY_CUSTOMERS)).toHaveLength(2_000);
  });
});
