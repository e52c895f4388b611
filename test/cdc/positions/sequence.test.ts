import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { instantText } from "../../../src/cdc/columns/calendar.ts";
import {
  compileComponent,
  epochText,
  integerComponent,
  integerPosition,
  positionOf,
} from "../../../src/cdc/positions/sequence.ts";
import type { ColumnType } from "../../../src/cdc/table.ts";
import { column } from "../tables.ts";

const encoder = (type: ColumnType) => compileComponent(column("c", type));
const sign = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Positions of two components must compare like the components, whatever follows. */
function positions(type: ColumnType, value: string | number, next: string): string {
  return positionOf("0000", `${encoder(type)(value) ?? "none"}${next}`, false);
}

const next = fc.constantFrom("1010", "0989", "19999", "zzz!", "!");

describe("positions", () => {
  test("the examples of the comment", () => {
    expect(["7", "42", "-42", "26718520"].map(integerComponent)).toEqual([
      "1017",
      "10242",
      "09757",
      "10826718520",
    ]);
    expect(["1.50", "-1.5"].map(encoder("decimal"))).toEqual(["10115!", "09884~"]);
    expect(encoder("timestamp")("2024-05-17T10:00:00.5Z")).toBe("120240517100000500000000");
    expect(encoder("text")("ab")).toBe("ab!");
    expect(positionOf(epochText(0), integerComponent("26718520") ?? "", false)).toBe("0000.10826718520.1");
  });

  test("a position of one integer is the one made of its component, and null without one", () => {
    const digits = fc.oneof(
      fc.bigInt().map(String),
      fc.stringMatching(/^[0-9]{0,100}$/),
      fc.constantFrom("", "-", "1.5", "12a", "é", "9".repeat(98), "9".repeat(99)),
    );
    fc.assert(
      fc.property(digits, fc.boolean(), fc.nat(9999), (text, isSnapshot, epoch) => {
        const component = integerComponent(text);
        const made = component === null ? null : positionOf(epochText(epoch), component, isSnapshot);
        expect(integerPosition(epochText(epoch), text, isSnapshot)).toBe(made);
      }),
    );
  });

  test("integers of any size and sign sort by value", () => {
    const integer = fc.oneof(
      fc.bigInt({ min: -1_000n, max: 1_000n }),
      fc.bigInt({ min: -(2n ** 64n), max: 2n ** 64n }),
    );
    fc.assert(
      fc.property(integer, integer, next, next, (a, b, x, y) => {
        if (a === b) return;
        expect(sign(positions("bigint", String(a), x), positions("bigint", String(b), y))).toBe(
          a < b ? -1 : 1,
        );
      }),
      { numRuns: 2_000 },
    );
  });

  test("decimals sort by value, and trailing zeros make no difference", () => {
    const scaled = fc.oneof(
      fc.bigInt({ min: -2_000n, max: 2_000n }),
      fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }),
    );
    const text = (unscaled: bigint, zeros: number): string => {
      const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(4, "0");
      const plain = `${digits.slice(0, -3)}.${digits.slice(-3)}${"0".repeat(zeros)}`;
      return unscaled < 0n ? `-${plain}` : plain;
    };
    fc.assert(
      fc.property(scaled, scaled, fc.nat(3), fc.nat(3), next, (a, b, m, n, x) => {
        const wanted = a === b ? 0 : a < b ? -1 : 1;
        expect(sign(positions("decimal", text(a, m), x), positions("decimal", text(b, n), x))).toBe(wanted);
      }),
      { numRuns: 2_000 },
    );
  });

  test("instants sort by time, across years before 0 and beyond 9999, whatever the fraction's length", () => {
    const instant = fc.record({
      seconds: fc.oneof(
        fc.integer({ min: -5, max: 5 }),
        fc.integer({ min: -90_000_000_000, max: 300_000_000_000 }),
      ),
      fraction: fc.stringMatching(/^(\d{0,8}[1-9])?$/),
    });
    const value = (i: { seconds: number; fraction: string }): bigint =>
      BigInt(i.seconds) * 10n ** 9n + BigInt(i.fraction.padEnd(9, "0"));
    fc.assert(
      fc.property(instant, instant, next, next, (a, b, x, y) => {
        if (value(a) === value(b)) return;
        const wanted = value(a) < value(b) ? -1 : 1;
        expect(
          sign(positions("timestamp", instantText(a), x), positions("timestamp", instantText(b), y)),
        ).toBe(wanted);
      }),
      { numRuns: 2_000 },
    );
  });

  test("texts sort as texts, and a prefix before what it begins", () => {
    const text = fc.string({ unit: fc.constantFrom("\u0000", " ", "!", '"', "#", "a", "~", "é", "\ud800") });
    fc.assert(
      fc.property(text, text, next, next, (a, b, x, y) => {
        if (a === b) return;
        expect(sign(positions("text", a, x), positions("text", b, y))).toBe(sign(a, b));
      }),
      { numRuns: 2_000 },
    );
  });

  test("the epoch comes first, the rank last: a snapshot row only loses ties", () => {
    const at = (epoch: number, lsn: string, isSnapshot: boolean): string =>
      positionOf(epochText(epoch), integerComponent(lsn) ?? "", isSnapshot);
    const ordered = [
      at(0, "0", true),
      at(0, "9", true),
      at(0, "9", false),
      at(0, "10", true),
      at(1, "1", false),
    ];
    expect([...ordered].sort()).toEqual(ordered);
  });

  test("what has no place in an order has no component", () => {
    expect(encoder("timestamp")("infinity")).toBeNull();
    expect(encoder("decimal")("NaN")).toBeNull();
    expect(integerComponent("")).toBeNull();
    expect(integerComponent("1e3")).toBeNull();
    expect(() => encoder("json")).toThrow("cannot order rows");
    expect(() => compileComponent(column("c", "int", { list: true }))).toThrow("cannot order rows");
  });
});
