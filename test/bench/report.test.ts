import { describe, expect, test } from "vitest";
import { meets, table } from "../../src/bench/report.ts";
import type { Measure } from "../../src/bench/report.ts";

const MEASURE: Measure = {
  name: "speed",
  value: 0.5,
  unit: "ratio",
  better: "higher",
  firstStep: 0.5,
  goal: 0.9,
  note: "10 us",
};

describe("the report", () => {
  test("a bar is met at its very figure, in the direction that is better", () => {
    expect(meets(MEASURE, 0.5)).toBe(true);
    expect(meets(MEASURE, 0.51)).toBe(false);
    expect(meets({ ...MEASURE, better: "lower" }, 0.5)).toBe(true);
    expect(meets({ ...MEASURE, better: "lower" }, 0.49)).toBe(false);
  });

  test("without bar or figure nothing is met or missed", () => {
    expect(meets(MEASURE, null)).toBeNull();
    expect(meets({ ...MEASURE, value: null }, 1)).toBeNull();
  });

  test("the table says what was met and what was missed", () => {
    const latency: Measure = { ...MEASURE, unit: "ms", better: "lower", value: 123.4, firstStep: null };
    expect(table([MEASURE, latency, { ...MEASURE, value: null }]).split("\n")).toEqual([
      "| measure | figure | first step | goal | note |",
      "| --- | --- | --- | --- | --- |",
      "| speed | 0.50 | >= 0.5 met | >= 0.9 missed | 10 us |",
      "| speed | 123 ms | - | <= 0.9 missed | 10 us |",
      "| speed | - | >= 0.5 | >= 0.9 | 10 us |",
    ]);
  });
});
