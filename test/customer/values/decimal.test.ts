import fc from "fast-check";
import { expect, test } from "vitest";
import { compareText } from "../../../src/customer/values/compare.ts";
import {
  addUnits,
  compareDecimals,
  fromUnits,
  meanUnits,
  scaled,
  subtractUnits,
} from "../../../src/customer/values/decimal.ts";

const units = fc.oneof(
  fc.bigInt({ min: -(10n ** 25n), max: 10n ** 25n }),
  fc.bigInt({ min: -2000n, max: 2000n }),
);
const scales = fc.nat(4);

test("units and decimal text turn into each other without loss", () => {
  fc.assert(
    fc.property(units, scales, (n, scale) => {
      expect(scaled(fromUnits(String(n), scale), scale)).toBe(String(n));
    }),
  );
});

test("sums and differences of units are exact at any size", () => {
  fc.assert(
    fc.property(units, units, (a, b) => {
      expect(addUnits(String(a), String(b))).toBe(String(a + b));
      expect(subtractUnits(String(a), String(b))).toBe(String(a - b));
    }),
  );
});

test("decimals of different scales compare by value", () => {
  fc.assert(
    fc.property(units, scales, units, scales, (a, left, b, right) => {
      const difference = a * 10n ** BigInt(right) - b * 10n ** BigInt(left);
      const order = compareDecimals(fromUnits(String(a), left), fromUnits(String(b), right));
      expect(order).toBe(difference < 0n ? -1 : difference > 0n ? 1 : 0);
    }),
  );
});

test("digits beyond the scale are rounded half away from zero", () => {
  const cases = [
    ["0.005", "1"],
    ["-0.005", "-1"],
    ["0.0049", "0"],
    ["1.115", "112"],
    ["12345678901234567.895", "1234567890123456790"],
  ];
  for (const [text = "", expected] of cases) expect(scaled(text, 2)).toBe(expected);
  expect([meanUnits("5", 2), meanUnits("-5", 2), meanUnits("4", 3)]).toEqual(["3", "-3", "1"]);
});

test("exponents are read, and what is not a finite number is none", () => {
  expect([scaled(1e21, 0), scaled("1.5e-3", 4), scaled("-2E2", 1)]).toEqual([
    "1000000000000000000000",
    "15",
    "-2000",
  ]);
  for (const text of ["NaN", "Infinity", "-Infinity", "", ".", "1.2.3", "0x10"])
    expect(scaled(text, 2)).toBeNull();
  expect(compareDecimals("NaN", "1.00")).toBeNull();
  expect(compareDecimals("Infinity", "123456789012345678901.00")).toBe(1);
  expect(compareDecimals("-Infinity", "-123456789012345678901.00")).toBe(-1);
});

test("text sorts as its UTF-8 bytes do", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), (a, b) => {
      expect(Math.sign(compareText(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
    }),
  );
});
