import fc from "fast-check";
import { parseValue } from "graphql";
import { describe, expect, test } from "vitest";
import { scalars } from "../../src/schema/scalars.ts";

function scalar(name: string) {
  const found = scalars.find((each) => each.name === name);
  if (!found) throw new Error(name);
  return found;
}

/** Reads it both ways: as a variable, and written into the document. */
function read(name: string, value: unknown): unknown {
  const asVariable = scalar(name).parseValue(value);
  expect(scalar(name).parseLiteral(parseValue(JSON.stringify(value)), {})).toEqual(asVariable);
  return asVariable;
}

describe.each([
  ["Decimal", "12.50", "12.50"],
  ["Decimal", "-0.001", "-0.001"],
  ["Decimal", 12.5, "12.5"],
  ["Decimal", "123456789012345678901234567890.12", "123456789012345678901234567890.12"],
  ["BigInt", "9007199254740993", "9007199254740993"],
  ["BigInt", 42, "42"],
  ["Double", 1.5, 1.5],
  ["Double", "-Infinity", "-Infinity"],
  ["Double", "1e3", 1000],
  ["DateTime", "2024-05-17T10:00:00Z", "2024-05-17T10:00:00Z"],
  ["DateTime", "2024-05-17T12:00:00.120+02:00", "2024-05-17T10:00:00.12Z"],
  ["DateTime", "2024-02-29T23:30:00.000000001-01:00", "2024-03-01T00:30:00.000000001Z"],
  ["Date", "2024-02-29", "2024-02-29"],
  ["Time", "23:59:59.999999", "23:59:59.999999"],
  ["JsonText", '{"a":1}', '{"a":1}'],
  ["Cursor", "x", "x"],
])("%s", (name, given, stored) => {
  test(`${JSON.stringify(given)} is read as ${JSON.stringify(stored)}`, () => {
    expect(read(name, given)).toBe(stored);
  });
});

test.each([
  ["Decimal", "1e3"],
  ["Decimal", "NaN"],
  ["Decimal", ""],
  ["Decimal", " 1"],
  ["Decimal", 1e21],
  ["Decimal", true],
  ["BigInt", "1.0"],
  ["BigInt", 1.5],
  ["BigInt", 2 ** 53],
  ["Double", ""],
  ["Double", "1x"],
  ["DateTime", "2024-05-17T10:00:00"],
  ["DateTime", "2024-05-17"],
  ["DateTime", "2023-02-29T10:00:00Z"],
  ["DateTime", "2024-05-17T25:00:00Z"],
  ["DateTime", 0],
  ["Date", "2023-02-29"],
  ["Date", "2024-13-01"],
  ["Time", "24:00:00"],
  ["Cursor", ""],
])("a %s is not %j, and the error says what it is", (name, given) => {
  expect(() => scalar(name).parseValue(given)).toThrow(`${name} must be `);
});

test("no digit of a decimal or a big integer is lost on the way in, as text or as a literal", () => {
  fc.assert(
    fc.property(fc.bigInt(), fc.bigInt({ min: 0n, max: 10n ** 30n }), (whole, fraction) => {
      const text = `${whole}.${fraction}`;
      expect(scalar("Decimal").parseLiteral(parseValue(text), {})).toBe(text);
      expect(scalar("Decimal").parseValue(text)).toBe(text);
      expect(scalar("BigInt").parseLiteral(parseValue(String(whole)), {})).toBe(String(whole));
    }),
  );
});

test("an instant means the same as JavaScript's own reading of it", () => {
  fc.assert(
    fc.property(fc.date({ noInvalidDate: true, min: new Date(0), max: new Date(4e12) }), (date) => {
      expect(Date.parse(String(read("DateTime", date.toISOString())))).toBe(date.getTime());
    }),
  );
});
