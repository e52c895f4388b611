import fc from "fast-check";
import { expect, test } from "vitest";
import { compareText } from "../../src/customer/values/compare.ts";
import { compareDecimals } from "../../src/customer/values/decimal.ts";
import { decimalKey, originalText, storedText } from "../../src/store/stored-text.ts";

const texts = fc.string({
  unit: fc.constantFrom(
    "a",
    "\u0000",
    "\u0001",
    "\ud800",
    "\udfff",
    "🏦",
    "\uffff",
    "\u{10f000}",
    "\u{10f001}",
    "\u{10e000}",
    "é",
  ),
});

/** As SQLite compares texts. */
const byBytes = (a: string, b: string) => Math.sign(Buffer.compare(Buffer.from(a), Buffer.from(b)));

test("a stored text gives its original back, whatever is in it, and survives UTF-8", () => {
  fc.assert(
    fc.property(texts, (text) => {
      expect(originalText(storedText(text))).toBe(text);
      expect(Buffer.from(storedText(text)).toString()).toBe(storedText(text));
      expect(storedText(text)).not.toContain("\u0000");
    }),
    { numRuns: 2_000 },
  );
});

test("stored texts sort by bytes as their originals compare", () => {
  const plain = fc.string({
    unit: fc.constantFrom("a", "b", "\u0000", "\u0001", "\u0002", "é", "\uffee", "🏦"),
  });
  fc.assert(
    fc.property(plain, plain, (a, b) => {
      expect(byBytes(storedText(a), storedText(b))).toBe(Math.sign(compareText(a, b)));
    }),
    { numRuns: 2_000 },
  );
});

test("keys of decimals sort as the decimals compare, and are equal exactly when the decimals are", () => {
  const digits = fc.string({ unit: fc.constantFrom("0", "1", "5", "9"), maxLength: 25 });
  const written = fc
    .tuple(fc.constantFrom("", "-", "+"), digits, digits, fc.option(fc.integer({ min: -30, max: 30 })))
    .map(
      ([sign, whole, fraction, power]) => `${sign}${whole}.${fraction}${power === null ? "" : `e${power}`}`,
    );
  const decimals = fc.oneof(
    written,
    fc.constantFrom("0", "-0", "1.50", "1.5", "NaN", "Infinity", "-Infinity"),
  );
  fc.assert(
    fc.property(decimals, decimals, (a, b) => {
      const [x, y] = [decimalKey(a), decimalKey(b)];
      const order = compareDecimals(a, b);
      if (x !== null && y !== null) expect(byBytes(x, y)).toBe(Math.sign(order ?? NaN));
      else expect(order).toBeNull();
    }),
    { numRuns: 5_000 },
  );
});
