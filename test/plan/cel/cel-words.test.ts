import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { rowCondition } from "../../../src/plan/cel/conditions.ts";
import { fieldOf } from "../../../src/plan/cel/kinds.ts";
import type { Roots } from "../../../src/plan/cel/kinds.ts";

const roots: Roots = new Map([
  [
    "row",
    new Map([
      ["s", fieldOf("text")],
      ["n", fieldOf("int")],
      ["at", fieldOf("timestamp")],
      ["tags", fieldOf("text", true)],
    ]),
  ],
]);

function faults(text: string) {
  const outcome = rowCondition(text, roots);
  return "faults" in outcome ? outcome.faults : [];
}

const HABITS = "(equal is ==, and is &&, or is ||, not is !)";

describe("what is wrong with an expression", () => {
  test.each([
    ["row.n == 1 AND row.n == 2", 11, `this is not CEL: "AND" has no meaning here ${HABITS}`],
    ["row.n = 1", 6, `this is not CEL: "=" has no meaning here ${HABITS}`],
    ["row.n <> 1", 7, `this is not CEL: ">" has no meaning here ${HABITS}`],
    ["row.n in [1, 2 3]", 15, `this is not CEL: "]" is missing before "3" ${HABITS}`],
    ["(row.n == 1", 11, 'the expression ends too early: ")" is missing'],
    ["row.n ==", 8, "the expression ends too early"],
    ["row.s == 'a", 9, "the quote that begins this text is not closed"],
    [
      "row.s == 'a\nb'",
      11,
      "a text ends on the line on which it begins, unless it stands between three quotes",
    ],
    [
      'row.s == "\\d"',
      10,
      '\\d has no meaning in a text: a backslash is written \\\\, or the whole text r"..."',
    ],
    ["row.n == 0x", 9, '"0x" is no number'],
    ["if == 1", 0, '"if" is a word that CEL keeps for itself'],
    ["row.s.foo(1)", 0, "text has no function foo(integer)"],
    ["foo(row.tags)", 0, "there is no function foo(list of text)"],
    ["row.at - row.n > duration('1h')", 0, "timestamp - integer is not possible"],
    ["row.tags.exists(1, true)", 16, 'exists begins with a name for each value: exists(one, one == "a")'],
    ["row.tags.exists(t, t)", 19, "this is text where true or false is needed"],
    ["row.tags.exists(t, t > 1)", 19, "text > integer is not possible"],
    ["row.tags.exists(t, u == t)", 19, 'unknown name "u"'],
    ["row.tags.exists(t, t.size == 1)", 21, "text has no parts to name"],
    ["row.tags['a'] == 'a'", 0, "a list is asked by number, and this is text"],
    [
      "[1, 'a'] == row.tags",
      4,
      "the values of a list or map are of one kind: integer before, and this is text",
    ],
    [`row.n in [${"1, ".repeat(1_001)}]`, 3010, "a list has at most 1000 values"],
    [`${"(".repeat(300)}row.n`, 250, "an expression is nested at most 250 levels deep"],
  ])("is said in plain words at its place: %s", (text, offset, words) => {
    expect(faults(text)).toEqual([{ text: words, offset }]);
  });

  test("is a fault, never a throw, and never the library's own words", () => {
    const parts = fc.constantFrom(
      ..."row row.s row.n row.at row.tags t exists( map( size( matches( . , ( ) [ ] { } : ? ! - + * / % = == != < >= && || in".split(
        " ",
      ),
      ..."1 0x 1.5 1e 'a' \"b \\ r'x' b'y' null true if has( duration('1h') timestamp( & | ; @ é".split(" "),
    );
    const words =
      /Unexpected|Expected|overload|[A-Z]PAREN|EOF|google|Exceeded|Unknown|operand|\bdyn\b|\bbool\b|\bstring\b/;
    fc.assert(
      fc.property(fc.array(parts, { maxLength: 9 }), fc.constantFrom("", " "), (all, between) => {
        for (const { text, offset } of faults(all.join(between))) {
          expect(text).not.toMatch(words);
          expect(offset).toBeGreaterThanOrEqual(0);
        }
      }),
      { numRuns: 3_000 },
    );
  });
});
