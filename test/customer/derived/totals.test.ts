import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Value } from "../../../src/cdc/change.ts";
import type { Row, Total } from "../../../src/customer/customer.ts";
import type { MetricFunction, MetricType, RowMetric } from "../../../src/customer/plan.ts";
import {
  contribution,
  exchange,
  NO_TOTAL,
  totalOf,
  totalOfRows,
  valueOf,
} from "../../../src/customer/derived/totals.ts";
import { metric } from "../../helpers/history-plan.ts";

const row = (value: Value, at = "p1"): Row => ({
  at,
  live: true,
  values: { v: value },
  origin: { topic: "t", partition: 0, offset: "0" },
});

const over = (kind: MetricFunction, type: MetricType, scale = 0): RowMetric =>
  metric("m", { table: "t", function: kind, column: kind === "count" ? null : "v", type, scale });

const valueOver = (one: RowMetric, values: readonly Value[]): Value =>
  valueOf(
    one,
    totalOfRows(
      one,
      Object.fromEntries(values.map((value, index) => [`k${index}`, row(value, `p${index}`)])),
    ),
  );

describe("values", () => {
  test("decimals are summed exactly beyond the digits of a number", () => {
    expect(valueOver(over("sum", "decimal", 2), ["99999999999999999999.99", "0.01", "0.10", "0.20"])).toBe(
      "100000000000000000000.30",
    );
  });

  test("a sum over no rows is zero, a mean and an extreme are null", () => {
    expect(valueOver(over("sum", "decimal", 2), [])).toBe("0.00");
    expect(valueOver(over("sum", "int"), [null])).toBe(0);
    expect(valueOver(over("average", "decimal", 2), [null])).toBeNull();
    expect(valueOver(over("min", "int"), [])).toBeNull();
  });

  test("a mean is rounded half away from zero", () => {
    expect(valueOver(over("average", "decimal", 2), ["0.01", "0.02"])).toBe("0.02");
    expect(valueOver(over("average", "decimal", 2), ["-0.01", "-0.02"])).toBe("-0.02");
  });

  test("64-bit integers keep every digit", () => {
    expect(valueOver(over("max", "bigint"), ["9007199254740993", "9007199254740992"])).toBe(
      "9007199254740993",
    );
    expect(valueOver(over("sum", "bigint"), ["9007199254740993", "1"])).toBe("9007199254740994");
  });

  test("instants compare by time, fractions and infinities included", () => {
    const times = ["2024-05-17T10:00:00.5Z", "2024-05-17T10:00:00Z", "2024-05-17T09:59:59.999999Z"];
    expect(valueOver(over("max", "timestamp"), times)).toBe("2024-05-17T10:00:00.5Z");
    expect(valueOver(over("min", "timestamp"), [...times, "-infinity"])).toBe("-infinity");
    expect(valueOver(over("max", "timestamp"), [...times, "infinity"])).toBe("infinity");
  });

  test("the latest value is that of the newest row, null included", () => {
    expect(valueOver(over("latest", "int"), [3, null])).toBeNull();
  });

  test("distinct counts values, not rows, and nulls not at all", () => {
    expect(valueOver(over("distinct", "int"), ["a", "b", "a", null, "__proto__"])).toBe(3);
  });

  test("what is not a number does not count", () => {
    expect(valueOver(over("sum", "decimal", 2), ["NaN", "1.00"])).toBe("1.00");
    expect(valueOver(over("max", "decimal", 2), ["NaN", "1.00"])).toBe("1.00");
  });

  test("floats are summed the same in any order", () => {
    const sum = over("sum", "float");
    expect(valueOver(sum, [0.1, 0.2, 0.3])).toBe(valueOver(sum, [0.3, 0.2, 0.1]));
    expect(valueOver(sum, [1e21, 1.5, -1e21])).toBe(1.5);
  });
});

const kinds = fc.constantFrom<RowMetric>(
  over("count", "int"),
  over("sum", "decimal", 2),
  over("average", "decimal", 2),
  over("min", "decimal", 2),
  over("max", "decimal", 2),
  over("distinct", "int"),
  over("latest", "text"),
);
const values = fc.constantFrom<Value>(null, "1.00", "2.50", "-7.25", "12345678901234567.89");
const parts = fc.array(fc.tuple(values, fc.nat(3)), { maxLength: 6 });

test("exchanging a part gives the total counted from scratch, or says that it cannot", () => {
  fc.assert(
    fc.property(kinds, parts, fc.option(values), fc.option(values), fc.nat(4), (one, rest, old, put, seq) => {
      const contributions = rest.map(([value, at], index) =>
        contribution(one, `k${index}`, row(value, `p${at}`)),
      );
      const side = (value: Value | null | undefined): Total | undefined =>
        value === null || value === undefined
          ? undefined
          : contribution(one, "changing", row(value, `p${seq}`));
      const change = { out: side(old), in: side(put) };
      const before = totalOf(one, [...contributions, change.out]);
      const after = totalOf(one, [...contributions, change.in]);
      const exchanged = exchange(one, before, change);
      if (exchanged !== null) expect(exchanged).toEqual(after);
      else expect(["min", "max", "latest"]).toContain(one.function);
    }),
    { numRuns: 3000 },
  );
});

test("totals merge in any grouping", () => {
  fc.assert(
    fc.property(kinds, parts, parts, (one, left, right) => {
      const of = (list: typeof left, name: string) =>
        list.map(([value, at], index) => contribution(one, `${name}${index}`, row(value, `p${at}`)));
      const [a, b] = [of(left, "a"), of(right, "b")];
      expect(totalOf(one, [totalOf(one, a), totalOf(one, b)])).toEqual(totalOf(one, [...b, ...a]));
    }),
    { numRuns: 1000 },
  );
});

test("a metric without a row is the empty total", () => {
  expect(totalOfRows(over("count", "int"), {})).toBe(NO_TOTAL);
});
