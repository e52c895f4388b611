import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Value, Values } from "../../../src/cdc/change.ts";
import { parseCel } from "../../../src/plan/cel/cel.ts";
import { compile } from "../../../src/plan/cel/closures.ts";
import type { Work } from "../../../src/plan/cel/compiled.ts";
import { byCel, rowCondition } from "../../../src/plan/cel/conditions.ts";
import { fieldOf } from "../../../src/plan/cel/kinds.ts";
import type { Roots } from "../../../src/plan/cel/kinds.ts";
import type { Val } from "../../../src/plan/cel/operators.ts";

const roots: Roots = new Map([
  [
    "row",
    new Map([
      ["n", fieldOf("int")],
      ["w", fieldOf("bigint")],
      ["d", fieldOf("decimal")],
      ["e", fieldOf("decimal")],
      ["x", fieldOf("float")],
      ["s", fieldOf("text")],
      ["u", fieldOf("text")],
      ["b", fieldOf("boolean")],
      ["day", fieldOf("date")],
      ["at", fieldOf("timestamp")],
      ["since", fieldOf("timestamp")],
      ["tags", fieldOf("text", true)],
    ]),
  ],
  [
    "settings",
    new Map([
      ["limit", { ...fieldOf("decimal"), constant: "10.50" }],
      ["form", { ...fieldOf("text"), constant: "^z" }],
    ]),
  ],
]);

function work(): Work<Values> {
  return {
    roots,
    reader: (_, name) => (values) => values[name] ?? null,
    reads: [],
    faults: [],
    beyond: false,
  };
}

const orNull = <T extends Value>(values: fc.Arbitrary<T>): fc.Arbitrary<Value> => fc.option<Value>(values);

const decimals = fc.oneof(
  fc.constantFrom(
    "0.00",
    "10.50",
    "10.5",
    "-0.01",
    "100",
    "9007199254740993.01",
    "99999999999999999999.9999",
    "NaN",
    "0.1",
  ),
  fc.integer({ min: -100_000, max: 100_000 }).map((cents) => (cents / 100).toFixed(2)),
);
const instants = fc.oneof(
  fc.constantFrom(
    "2024-05-17T10:00:00Z",
    "2024-05-17T10:00:00.5Z",
    "2024-05-17T10:00:00.000001Z",
    "infinity",
    "-infinity",
  ),
  fc
    .integer({ min: 0, max: 4_000_000_000_000 })
    .map((ms) => new Date(ms).toISOString().replace(/\.?0*Z$/, "Z")),
);

const rows: fc.Arbitrary<Values> = fc.record({
  n: orNull(fc.oneof(fc.integer({ min: -12, max: 12 }), fc.integer())),
  w: orNull(fc.constantFrom("0", "5", "-7", "9007199254740992", "9007199254740993", "9223372036854775807")),
  d: orNull(decimals),
  e: orNull(decimals),
  x: orNull(
    fc.oneof(
      fc.constantFrom<Value>(0, 0.1, 10.5, 100, "NaN", "Infinity", "-Infinity"),
      fc.integer({ min: -9, max: 9 }),
    ),
  ),
  s: orNull(fc.constantFrom("", "a", "ab", "travel", "5", "é😀")),
  u: orNull(fc.constantFrom("", "a", "b", "travel")),
  b: orNull(fc.boolean()),
  day: orNull(fc.constantFrom("2024-05-17", "1999-12-31", "infinity", "-infinity")),
  at: orNull(instants),
  since: orNull(instants),
  tags: orNull(fc.constantFrom<Value>([], ["a"], ["a", "travel"])),
});

const NUMBERS = [
  "row.n",
  "row.w",
  "row.d",
  "row.e",
  "row.x",
  "0",
  "5",
  "10.5",
  "0.1",
  "-7",
  "9007199254740993",
  "settings.limit",
];

const { condition } = fc.letrec<{ condition: string; number: string; truth: string }>((tie) => ({
  number: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.constantFrom(...NUMBERS),
    fc
      .tuple(tie("number"), fc.constantFrom("+", "-", "*", "/"), tie("number"))
      .map(([a, op, b]) => `(${a} ${op} ${b})`),
    tie("number").map((a) => `(-(${a}))`),
    fc.constantFrom("size(row.s)", "row.u.size()", "days(row.since, row.at)"),
  ),
  truth: fc.oneof(
    fc
      .tuple(tie("number"), fc.constantFrom("==", "!=", "<", "<=", ">", ">="), tie("number"))
      .map(([a, op, b]) => `${a} ${op} ${b}`),
    fc
      .tuple(
        fc.constantFrom("row.s", "row.u", '"a"', "row.s + row.u", "row.u.upperAscii()"),
        fc.constantFrom("==", "!=", "<", ">="),
        fc.constantFrom("row.s", "row.u", '"travel"'),
      )
      .map(([a, op, b]) => `${a} ${op} ${b}`),
    fc
      .tuple(
        fc.constantFrom("row.at", "row.since", 'timestamp("2024-05-17T10:00:00Z")'),
        fc.constantFrom("==", "!=", "<", "<=", ">", ">="),
        fc.constantFrom("row.at", "row.since"),
      )
      .map(([a, op, b]) => `${a} ${op} ${b}`),
    fc.constantFrom("==", "!=", "<", ">").map((op) => `row.day ${op} "2024-05-17"`),
    fc
      .tuple(fc.constantFrom("n", "w", "d", "x", "s", "b", "day", "at", "tags"), fc.constantFrom("==", "!="))
      .map(([column, op]) => `row.${column} ${op} null`),
    fc.constantFrom(
      'row.s in ["a", "travel"]',
      "row.n in [1, 5, -7]",
      "row.w in [5, 9007199254740993]",
      "row.x in [0.1, 10.5]",
      '"a" in row.tags',
      "row.s in row.tags",
      'row.s.contains("a")',
      "row.s.startsWith(row.u)",
      'row.s.endsWith("l")',
      'row.s.matches("^(a|tr).*l?$")',
      "row.u.matches(r'[b-v]{2,}')",
      "row.b",
      "row.b == true",
      "true",
    ),
  ),
  condition: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    tie("truth"),
    fc
      .tuple(tie("condition"), fc.constantFrom("&&", "||"), tie("condition"))
      .map(([a, op, b]) => `(${a} ${op} ${b})`),
    tie("condition").map((a) => `!(${a})`),
    fc.tuple(tie("condition"), tie("condition"), tie("condition")).map(([a, b, c]) => `(${a} ? ${b} : ${c})`),
  ),
}));

describe("conditions as closures", () => {
  test("mean exactly what CEL means by them", () => {
    fc.assert(
      fc.property(condition, fc.array(rows, { minLength: 1, maxLength: 4 }), (text, samples) => {
        const node = parseCel(text);
        if (!("op" in node)) throw new Error(`${text}: ${node.text}`);
        const task = work();
        const quick = compile(node, task);
        expect(task.faults).toEqual([]);
        expect(task.beyond).toBe(false);
        const reference = byCel(text, task);
        for (const values of samples) expect(shown(quick.run(values))).toBe(shown(reference(values)));
      }),
      { numRuns: 2500 },
    );
  });

  test.each([
    ['row.tags.exists(t, t == "a")', { tags: ["b", "a"] }, true],
    ['row.tags.exists(t, t == "a")', { tags: null }, false],
    ['row.tags.exists(t, t.matches("^a+$"))', { tags: ["b", "aaa"] }, true],
    ["row.tags.exists(t, t.matches(settings.form))", { tags: ["b", "aaa"] }, false],
    ["timestamp(row.at).getFullYear() == 2024 && row.d > 1", { at: "2024-01-01T00:00:00Z", d: "1.01" }, true],
    [
      'row.at - row.since > duration("24h")',
      { at: "2024-01-03T00:00:00Z", since: "2024-01-01T00:00:00Z" },
      true,
    ],
    ["int(row.s) == 5", { s: "5" }, true],
  ] as const)("what is beyond the closures is left to CEL: %s", (text, values, expected) => {
    const outcome = rowCondition(text, roots);
    if ("faults" in outcome) throw new Error(JSON.stringify(outcome.faults));
    expect(outcome.ok(values)).toBe(expected);
  });

  test.each(["row.b", 'row.tags.exists(t, t == "a")'])(
    "a long chain holds as a short one does: %s",
    (part) => {
      const outcome = rowCondition(Array(990).fill(part).join(" || "), roots);
      if ("faults" in outcome) throw new Error(JSON.stringify(outcome.faults));
      expect(outcome.ok({ b: true, tags: ["a"] })).toBe(true);
      expect(outcome.ok({ b: false, tags: ["b"] })).toBe(false);
    },
  );

  test("an integer zero has no sign", () => {
    const outcome = rowCondition("1.5 / (row.n * -7) > 0.0", roots);
    if ("faults" in outcome) throw new Error(JSON.stringify(outcome.faults));
    expect(outcome.ok({ n: 0 })).toBe(true);
  });

  test("a comparison with null is false, and so is its opposite", () => {
    for (const text of ["row.n > 5", "row.n <= 5", "!(row.n > 5)", "row.d == 1.0", "row.s.contains(row.u)"]) {
      const outcome = rowCondition(text, roots);
      if ("faults" in outcome) throw new Error(text);
      expect(outcome.ok({})).toBe(false);
    }
  });

  test("decimals, integers and floats compare by value and to the last digit", () => {
    const holds = (text: string, values: Values): boolean => {
      const outcome = rowCondition(text, roots);
      if ("faults" in outcome) throw new Error(JSON.stringify(outcome.faults));
      return outcome.ok(values);
    };
    expect(holds("row.d == 100", { d: "100.00" })).toBe(true);
    expect(holds("row.d == 0.1", { d: "0.10" })).toBe(true);
    expect(holds("row.d + row.e == 0.3", { d: "0.1", e: "0.2" })).toBe(true);
    expect(holds("row.d > row.e", { d: "99999999999999999999.02", e: "99999999999999999999.01" })).toBe(true);
    expect(holds("row.w == 9007199254740993", { w: "9007199254740992" })).toBe(false);
    expect(holds("row.w > row.n", { w: "9007199254740993", n: 5 })).toBe(true);
    expect(
      holds("row.at > row.since", { at: "2024-05-17T10:00:00.000001Z", since: "2024-05-17T10:00:00Z" }),
    ).toBe(true);
  });
});

function shown(value: Val): string {
  return value === undefined ? "error" : String(value);
}
