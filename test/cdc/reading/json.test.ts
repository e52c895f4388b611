import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  Digits,
  isObject,
  MAX_DEPTH,
  member,
  parseLossless,
  stringifyLossless,
} from "../../../src/cdc/reading/json.ts";

const hostileText = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.constantFrom(
    '"after":{',
    '{"payload":',
    "\\",
    '\\"',
    "12345678901234567890",
    ",-0",
    ":1.5",
    "__proto__",
    "\u2028",
  ),
);

describe("lossless JSON", () => {
  test("agrees with JSON.parse on every text without a long number, a fraction or an exponent", () => {
    const integers = fc
      .integer({ min: -999_999_999_999_999, max: 999_999_999_999_999 })
      .map((n) => (n === 0 ? 0 : n));
    const json = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        integers,
        hostileText,
        fc.boolean(),
        fc.constant(null),
        fc.array(tie("value")),
        fc.dictionary(hostileText, tie("value")),
      ),
    })).value;
    fc.assert(
      fc.property(json, fc.constantFrom(0, 2), (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        expect(parseLossless(text)).toEqual(JSON.parse(text));
        // The same through the reader of our own, which a long number in the text makes necessary.
        const both = parseLossless(`[${text},12345678901234567890]`);
        expect(Array.isArray(both) ? both[0] : both).toEqual(JSON.parse(text));
      }),
      { numRuns: 500 },
    );
  });

  test("keeps every digit of every number, and gives it back", () => {
    for (const digits of [
      "9007199254740993",
      "-9223372036854775808",
      "1559033904863841257",
      "0.10",
      "1e400",
      "-0",
      "1.0E+2",
    ]) {
      const value = parseLossless(`{"n":${digits},"list":[1,${digits}]}`);
      expect(member(value, "n")).toEqual(new Digits(digits));
      expect(stringifyLossless(value ?? null)).toBe(`{"n":${digits},"list":[1,${digits}]}`);
    }
    expect(parseLossless("999999999999999")).toBe(999_999_999_999_999);
    expect(parseLossless("1234567890123456")).toEqual(new Digits("1234567890123456"));
  });

  test("accepts exactly what JSON.parse accepts", () => {
    const pieces = [
      "{",
      "}",
      "[",
      "]",
      ":",
      ",",
      '"a"',
      '"\\u00e9"',
      '"\\x"',
      "1",
      "01",
      "-",
      "1.",
      ".5",
      "1.5",
      "1e5",
      "1e",
      "12345678901234567",
      "true",
      "nul",
      " ",
      "\n",
      "\u00a0",
      '"\t"',
    ];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 9 }), (parts) => {
        const text = parts.join("");
        expect(parseLossless(text) !== undefined).toBe(isJson(text));
      }),
      { numRuns: 5_000 },
    );
  });

  test("treats __proto__ and inherited names as ordinary names", () => {
    const value = parseLossless('{"__proto__":{"admin":true},"n":1.5}');
    expect(isObject(value) && Object.hasOwn(value, "__proto__")).toBe(true);
    expect(member(value, "admin")).toBeUndefined();
    expect(member(value, "toString")).toBeUndefined();
    expect(member(member(value, "__proto__"), "admin")).toBe(true);
  });

  test("refuses nesting beyond the limit, whichever parser reads it, without overflowing", () => {
    const nested = (depth: number, core: string): string => "[".repeat(depth) + core + "]".repeat(depth);
    for (const core of ["1", "1.5"]) {
      expect(parseLossless(nested(MAX_DEPTH, core))).toBeDefined();
      expect(parseLossless(nested(MAX_DEPTH + 1, core))).toBeUndefined();
      expect(parseLossless(nested(1_000_000, core))).toBeUndefined();
    }
    expect(parseLossless(`[${"[],".repeat(1_000)}1]`)).toBeDefined();
  });
});

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
