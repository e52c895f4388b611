import { describe, expect, test } from "vitest";
import { compare, cost, inWords, median, quantile, WARM_UP_PAIRS } from "../../src/bench/measure.ts";
import type { Meter, Side } from "../../src/bench/measure.ts";

/** A meter over a processor whose time is counted by hand. */
function handMeter(processor: { cpuUs: number }): Meter {
  return { cpuUs: () => processor.cpuUs, settle: () => {} };
}

describe("median and quantile", () => {
  test("the median of an even count is the mean of the middle two, in any order", () => {
    expect(median([9, 1, 5])).toBe(5);
    expect(median([9, 1, 5, 3])).toBe(4);
  });

  test("a quantile is a value that was seen", () => {
    const values = Array.from({ length: 100 }, (_, index) => 100 - index);
    expect(quantile(values, 0.5)).toBe(51);
    expect(quantile(values, 0.99)).toBe(100);
    expect(quantile(values, 1)).toBe(100);
    expect(quantile([], 0.5)).toBeNaN();
  });
});

describe("a comparison", () => {
  test("cost is per operation, of the metered process", async () => {
    const processor = { cpuUs: 500 };
    const run = () => {
      processor.cpuUs += 300;
      return 10;
    };
    expect((await cost({ run, meter: handMeter(processor) })).cpuUs).toBe(30);
  });

  test("drift that hits both sides of a pair leaves the ratio alone", async () => {
    const processor = { cpuUs: 0 };
    let runs = 0;
    const side = (us: number): Side => ({
      meter: handMeter(processor),
      run: () => {
        // Twice as slow with every pair; two runs make a pair.
        processor.cpuUs += us * 2 ** Math.floor(runs / 2);
        runs += 1;
        return 1;
      },
    });
    const found = await compare(side(30), side(10));
    expect(found.cpuRatio).toBe(3);
    expect(found.spread).toEqual([3, 3]);
    expect(runs).toBe(2 * (WARM_UP_PAIRS + 5));
  });

  test("what is prepared for a run is not measured", async () => {
    const processor = { cpuUs: 0 };
    const side: Side = {
      meter: handMeter(processor),
      prepare: async () => (processor.cpuUs += 1_000),
      run: () => {
        processor.cpuUs += 5;
        return 1;
      },
    };
    expect((await compare(side, side)).subject.cpuUs).toBe(5);
  });

  test("the sides take turns at going first", async () => {
    const order: string[] = [];
    const side = (name: string): Side => ({ run: () => order.push(name) });
    await compare(side("s"), side("b"), 2);
    expect(order.join("")).toBe(`${"bs".repeat(WARM_UP_PAIRS)}bssb`);
  });

  test("a failing side fails the comparison", async () => {
    const broken: Side = { run: () => Promise.reject(new Error("a delivery was lost")) };
    await expect(compare(broken, { run: () => 1 })).rejects.toThrow("a delivery was lost");
  });

  test("words give both sides and the spread", () => {
    const found = {
      cpuRatio: 2,
      rateRatio: 0.5,
      spread: [1.9, 2.1] as const,
      subject: { cpuUs: 20, rate: 1 },
      baseline: { cpuUs: 10, rate: 2 },
    };
    expect(inWords(found, "a record")).toBe("20.0 us CPU against 10.0 us a record; pairs 1.90 to 2.10");
  });
});
