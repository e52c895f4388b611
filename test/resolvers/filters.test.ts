import { describe, expect, test } from "vitest";
import type { FieldRef } from "../../src/customer/values/filter.ts";
import { filterOf, orderOf } from "../../src/resolvers/filters.ts";
import type { FilterFields, FilterInput } from "../../src/resolvers/filters.ts";

const spend: FieldRef = { kind: "metric", name: "spend_total", as: "decimal" };
const city: FieldRef = { kind: "column", table: "register", column: "city", as: "text" };
const fields: FilterFields = {
  groups: new Map<string, ReadonlyMap<string, FieldRef>>([
    ["metrics", new Map([["spendTotal", spend]])],
    ["register", new Map([["city", city]])],
  ]),
  segments: new Map([["engagement", { name: "engagement", tier: (value) => value.toLowerCase() }]]),
};

describe("a filter", () => {
  test("beyond 1,000 values or 20 levels is refused with the bound, however it is built", () => {
    const ids = (count: number) => ({
      customerId: { in: Array.from({ length: count }, (_, id) => String(id)) },
    });
    const nested = (levels: number): FilterInput => (levels === 0 ? {} : { not: nested(levels - 1) });
    expect(filterOf(ids(1_000), fields)).toMatchObject({ kind: "field" });
    expect(() => filterOf(ids(1_001), fields)).toThrow("1,000 values at most; this one has 1,001");
    expect(() => filterOf({ or: [ids(600), ids(401)] }, fields)).toThrow("1,000 values at most");
    expect(() => filterOf({ or: Array.from({ length: 1_001 }, () => ({})) }, fields)).toThrow(
      "1,000 values at most",
    );
    expect(filterOf(nested(19), fields)).toMatchObject({ kind: "not" });
    expect(() => filterOf(nested(20), fields)).toThrow("20 levels deep at most");
  });

  test("of nothing selects everybody", () => {
    expect(filterOf({}, fields)).toEqual({ kind: "and", filters: [] });
  });

  test("of one condition is that condition", () => {
    expect(filterOf({ metrics: { spendTotal: { gte: "10" } } }, fields)).toEqual({
      kind: "field",
      field: spend,
      test: { op: "gte", value: "10" },
    });
  });

  test("of several parts wants them all, whatever group they are in", () => {
    const filter = filterOf(
      {
        segments: { engagement: ["HIGH", "LOW"] },
        metrics: { spendTotal: { gte: "10", lt: "20" } },
        register: { city: { startsWith: "B" } },
        customerId: { eq: "1" },
      },
      fields,
    );
    expect(filter).toEqual({
      kind: "and",
      filters: [
        { kind: "field", field: { kind: "id" }, test: { op: "eq", value: "1" } },
        { kind: "segment", segment: "engagement", in: ["high", "low"] },
        { kind: "field", field: spend, test: { op: "gte", value: "10" } },
        { kind: "field", field: spend, test: { op: "lt", value: "20" } },
        { kind: "field", field: city, test: { op: "startsWith", value: "B" } },
      ],
    });
  });

  test("nests and, or and not", () => {
    const one = { register: { city: { eq: "Bonn" } } };
    const leaf = { kind: "field", field: city, test: { op: "eq", value: "Bonn" } };
    expect(filterOf({ or: [one, { not: one }], and: [one] }, fields)).toEqual({
      kind: "and",
      filters: [
        { kind: "and", filters: [leaf] },
        { kind: "or", filters: [leaf, { kind: "not", filter: leaf }] },
      ],
    });
  });

  test("of an empty `or` selects nobody, unlike one left out", () => {
    expect(filterOf({ or: [] }, fields)).toEqual({ kind: "or", filters: [] });
    expect(filterOf({ or: null }, fields)).toEqual({ kind: "and", filters: [] });
  });

  test("keeps an empty list of values: nobody has one of none", () => {
    expect(filterOf({ register: { city: { in: [] } } }, fields)).toMatchObject({
      test: { op: "in", values: [] },
    });
  });

  test("never compares with null in silence", () => {
    expect(() => filterOf({ register: { city: { eq: null } } }, fields)).toThrow(
      "`register.city.eq` is null: use `isNull` to ask for nulls.",
    );
    expect(filterOf({ register: { city: { isNull: true } } }, fields)).toMatchObject({
      test: { op: "isNull", value: true },
    });
  });

  test("does not follow names of every object", () => {
    expect(filterOf({ constructor: { name: { eq: "x" } } }, fields)).toEqual({ kind: "and", filters: [] });
  });
});

describe("an order", () => {
  test("is by customer id unless it says otherwise", () => {
    expect(orderOf(null, fields)).toEqual({ field: { kind: "id" }, direction: "asc" });
    expect(orderOf({ customerId: "desc" }, fields)).toEqual({ field: { kind: "id" }, direction: "desc" });
  });

  test("is by the one field it names", () => {
    expect(orderOf({ metrics: { spendTotal: "desc" } }, fields)).toEqual({ field: spend, direction: "desc" });
  });

  test.each([{}, { metrics: {} }, { customerId: "asc", metrics: { spendTotal: "asc" } } as const])(
    "that names no field, or several, is refused",
    (input) => {
      expect(() => orderOf(input, fields)).toThrow("exactly one field");
    },
  );
});
