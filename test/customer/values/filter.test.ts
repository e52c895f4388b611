import { expect, test } from "vitest";
import type { Value } from "../../../src/cdc/change.ts";
import { newCustomer } from "../../../src/customer/customer.ts";
import type { ComparedAs } from "../../../src/customer/values/compare.ts";
import { type Comparison, type CustomerFilter, matches } from "../../../src/customer/values/filter.ts";

const origin = { topic: "t", partition: 0, offset: "0" };
const segment = { previousTier: null, enteredMs: 1, because: "" };

function passes(value: Value, as: ComparedAs, comparison: Comparison): boolean {
  const customer = { ...newCustomer("c1"), metrics: { m: value } };
  return matches({ kind: "field", field: { kind: "metric", name: "m", as }, test: comparison }, customer);
}

test("decimals compare exactly, whatever their digits", () => {
  const big = "100000000000000000000.02";
  expect(passes(big, "decimal", { op: "gt", value: "100000000000000000000.01" })).toBe(true);
  expect(passes("10.00", "decimal", { op: "eq", value: "10" })).toBe(true);
  expect(passes("9.00", "decimal", { op: "lt", value: "10.00" })).toBe(true);
  expect(passes("NaN", "decimal", { op: "ne", value: "10.00" })).toBe(false);
});

test("numbers compare by size", () => {
  expect(passes(9, "number", { op: "lt", value: 10 })).toBe(true);
  expect(passes("Infinity", "number", { op: "gt", value: 10 })).toBe(true);
});

test("text compares by code points, as the stores do", () => {
  expect(passes("\u{1F600}", "text", { op: "gt", value: "\uFFFD" })).toBe(true);
  expect(passes("Zoe", "text", { op: "lt", value: "ann" })).toBe(true);
});

test("a null passes no test but isNull", () => {
  const comparisons: Comparison[] = [
    { op: "eq", value: null },
    { op: "ne", value: 1 },
    { op: "lt", value: 1 },
    { op: "in", values: [null, 1] },
    { op: "contains", value: "" },
    { op: "isNull", value: false },
  ];
  for (const comparison of comparisons) expect(passes(null, "number", comparison)).toBe(false);
  expect(passes(null, "number", { op: "isNull", value: true })).toBe(true);
  expect(passes(1, "number", { op: "isNull", value: false })).toBe(true);
});

test("text tests mind the case", () => {
  expect(passes("Antalya", "text", { op: "contains", value: "tal" })).toBe(true);
  expect(passes("Antalya", "text", { op: "startsWith", value: "ant" })).toBe(false);
});

test("segments match by tier, or by membership; columns by the live row; filters combine", () => {
  const customer = {
    ...newCustomer("c1"),
    tables: { profile: { k: { at: "p1", live: true, values: { city: "Izmir" }, origin } } },
    segments: {
      spending: { ...segment, state: "IN", tier: "GOLD" },
      lover: { ...segment, state: "OUT", tier: null },
    },
  } as const;
  const gold: CustomerFilter = { kind: "segment", segment: "spending", in: ["GOLD", "PLATINUM"] };
  const lover: CustomerFilter = { kind: "segment", segment: "lover", in: ["IN"] };
  const izmir: CustomerFilter = {
    kind: "field",
    field: { kind: "column", table: "profile", column: "city", as: "text" },
    test: { op: "in", values: ["Izmir"] },
  };
  const id: CustomerFilter = { kind: "field", field: { kind: "id" }, test: { op: "eq", value: "c1" } };
  expect([gold, lover, izmir, id].map((filter) => matches(filter, customer))).toEqual([
    true,
    false,
    true,
    true,
  ]);
  expect(matches({ kind: "and", filters: [gold, { kind: "not", filter: lover }] }, customer)).toBe(true);
  expect(matches({ kind: "or", filters: [lover] }, customer)).toBe(false);
  expect(matches({ kind: "and", filters: [] }, customer)).toBe(true);
});

test("instants and dates compare by time, with and without a fraction, before our era and after year 9999", () => {
  const rising = [
    "-infinity",
    "-000044-03-15T00:00:00Z",
    "-000043-03-14T00:00:00Z",
    "-000043-03-15T00:00:00Z",
    "0000-01-01T00:00:00Z",
    "2024-01-01T00:00:00Z",
    "2024-01-01T00:00:00.05Z",
    "2024-01-01T00:00:00.5Z",
    "2024-01-01T00:00:01Z",
    "+010000-01-01T00:00:00Z",
    "infinity",
  ];
  for (const [at, value] of rising.entries())
    for (const [other, wanted] of rising.entries()) {
      expect(passes(value, "timestamp", { op: "lt", value: wanted })).toBe(at < other);
      expect(passes(value, "timestamp", { op: "eq", value: wanted })).toBe(at === other);
    }
  expect(passes("2023-12-31", "timestamp", { op: "lt", value: "2024-01-01" })).toBe(true);
});
