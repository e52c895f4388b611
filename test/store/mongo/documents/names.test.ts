import fc from "fast-check";
import { expect, test } from "vitest";
import { compareText } from "../../../../src/customer/values/compare.ts";
import {
  fieldName,
  keptText,
  nameOf,
  orderedText,
  originalOf,
  textOf,
} from "../../../../src/store/mongo/documents/names.ts";

const HOSTILE = [
  ...[
    "",
    "$where",
    "$expr",
    "$set",
    "$",
    "a.b",
    ".",
    "..",
    "__proto__",
    "constructor",
    "prototype",
    "toString",
  ],
  ...[
    "\u0000",
    "a\u0000b",
    "%",
    "%0024",
    "%005f_proto__",
    "\ud800",
    "\udc00\ud800",
    "🏦",
    "\uffff",
    "\ufff0\ufff2",
    "_id",
  ],
  ...["0", "-1", '["1"]', '["a.b","$c"]', "x".repeat(10_000)],
];
const units = fc.string({
  unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)),
});
const edges = fc.string({
  unit: fc.constantFrom("a", "\u0000", "\ud800", "\udc00", "\uffef", "\ufff0", "\ufff1", "\ufff2", "\uffff"),
});
const texts = fc.oneof(units, edges, fc.string({ unit: "binary" }), fc.constantFrom(...HOSTILE));
const isWellFormed = (text: string) => Buffer.from(text).toString() === text;

test("any text is a safe field name, and comes back from it", () => {
  fc.assert(
    fc.property(texts, (text) => {
      const field = fieldName(text);
      expect(nameOf(field)).toBe(text);
      expect(field).toMatch(/^[^$.\u0000]+$/);
      expect(field).not.toBe("__proto__");
      expect(isWellFormed(field)).toBe(true);
    }),
    { numRuns: 1_500 },
  );
});

test("different texts are different field names", () => {
  fc.assert(fc.property(texts, texts, (a, b) => (fieldName(a) === fieldName(b)) === (a === b)));
});

test("ordered texts sort as the originals do, by units and by bytes alike, and come back", () => {
  fc.assert(
    fc.property(texts, texts, (a, b) => {
      const [x, y] = [orderedText(a), orderedText(b)];
      expect(originalOf(x)).toBe(a);
      expect(isWellFormed(x)).toBe(true);
      const wanted = Math.sign(compareText(a, b));
      expect(x < y ? -1 : x > y ? 1 : 0).toBe(wanted);
      expect(Math.sign(Buffer.compare(Buffer.from(x), Buffer.from(y)))).toBe(wanted);
    }),
    { numRuns: 1_500 },
  );
});

test("an ordered text contains and begins with another exactly when the originals do", () => {
  const short = fc.string({
    unit: fc.constantFrom("a", "\ud83c", "\udfe6", "\ufff0", "\ufff2", "\ufff9"),
    maxLength: 4,
  });
  fc.assert(
    fc.property(short, short, (a, b) => {
      expect(orderedText(a).includes(orderedText(b))).toBe(a.includes(b));
      expect(orderedText(a).startsWith(orderedText(b))).toBe(a.startsWith(b));
    }),
    { numRuns: 1_500 },
  );
});

test("any text can be kept, and what is well formed is kept as it is", () => {
  fc.assert(
    fc.property(texts, (text) => {
      expect(textOf(keptText(text))).toBe(text);
      expect(isWellFormed(keptText(text))).toBe(true);
      if (isWellFormed(text) && !text.startsWith("\ufff1")) expect(keptText(text)).toBe(text);
    }),
    { numRuns: 1_500 },
  );
});
