import { performance } from "node:perf_hooks";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { RowCondition } from "../../../src/cdc/table.ts";
import { rowCondition } from "../../../src/plan/cel/conditions.ts";
import { fieldOf } from "../../../src/plan/cel/kinds.ts";
import type { Roots } from "../../../src/plan/cel/kinds.ts";

const roots: Roots = new Map([
  [
    "row",
    new Map([
      ["s", fieldOf("text")],
      ["u", fieldOf("text")],
      ["n", fieldOf("int")],
      ["tags", fieldOf("text", true)],
    ]),
  ],
  ["settings", new Map([["form", { ...fieldOf("text"), constant: "^(?i)travel" }]])],
]);

function condition(text: string): RowCondition {
  const outcome = rowCondition(text, roots);
  if ("faults" in outcome) throw new Error(JSON.stringify(outcome.faults));
  return outcome.ok;
}

function faults(text: string): readonly unknown[] {
  const outcome = rowCondition(text, roots);
  return "faults" in outcome ? outcome.faults : [];
}

/** Patterns that mean the same to RE2 and to JavaScript, made of parts. */
const pattern = fc
  .array(
    fc.constantFrom("a", "b", "[ab]", "[^b]", "é", "😀", "(?:ab|é)", "a*", "b+", "(?:a|b){2}", ".", "\\d"),
    { minLength: 1, maxLength: 5 },
  )
  .chain((parts) =>
    fc.constantFrom(parts.join(""), `^${parts.join("")}`, `${parts.join("")}$`, `^${parts.join("")}$`),
  );

const text = fc
  .array(fc.constantFrom("a", "b", "é", "😀", "7", "\n"), { maxLength: 8 })
  .map((all) => all.join(""));

describe("matches", () => {
  test("finds a pattern anywhere in the text, as JavaScript does where both mean the same", () => {
    fc.assert(
      fc.property(pattern, fc.array(text, { minLength: 1, maxLength: 5 }), (source, texts) => {
        const quick = condition(`row.s.matches(r'${source}')`);
        const byCel = condition(`row.tags.exists(t, t.matches(r'${source}'))`);
        for (const each of texts) {
          const expected = new RegExp(source, "u").test(each);
          expect(quick({ s: each })).toBe(expected);
          expect(byCel({ tags: [each] })).toBe(expected);
        }
      }),
      { numRuns: 200 },
    );
  });

  test.each(["row.s.matches('^(a+)+$')", "row.tags.exists(t, t.matches('^(a+)+$'))"])(
    "a careless pattern and a hostile text take milliseconds, not ages: %s",
    (careless) => {
      const holds = condition(careless);
      const hostile = `${"a".repeat(100_000)}!`;
      const start = performance.now();
      expect(holds({ s: hostile, tags: [hostile] })).toBe(false);
      expect(performance.now() - start).toBeLessThan(5_000);
    },
  );

  test("a null matches nothing", () => {
    expect(condition("row.s.matches('')")({ s: null })).toBe(false);
  });

  test("a pattern may be a setting", () => {
    expect(condition("row.s.matches(settings.form)")({ s: "Travel agency" })).toBe(true);
    expect(condition("row.tags.all(t, t.matches(settings.form))")({ tags: ["Travel", "pub"] })).toBe(false);
  });

  test.each([
    [
      "row.n > 1 && row.s.matches('(?=a)b')",
      27,
      "this is no pattern of RE2: invalid or unsupported Perl syntax: `(?=`; there is no looking ahead or behind: test for that with a second matches()",
    ],
    [
      "row.s.matches('(?<!a)b')",
      14,
      "this is no pattern of RE2: invalid named capture: `(?<!a)b`; there is no looking ahead or behind: test for that with a second matches()",
    ],
    [
      "row.s.matches(r'(a)\\1')",
      14,
      "this is no pattern of RE2: invalid escape sequence: `\\1`; a pattern cannot refer back to what a group found",
    ],
    ["row.tags.exists(t, t.matches('['))", 29, "this is no pattern of RE2: missing closing ]: `[`"],
    ["row.s.matches(row.u)", 14, "the pattern of matches() is written out, or is a setting"],
    ["row.s.matches('a' + row.u)", 14, "the pattern of matches() is written out, or is a setting"],
    ["row.tags.exists(t, 'aa'.matches(t))", 32, "the pattern of matches() is written out, or is a setting"],
    ["row.n.matches('a')", 0, ".matches(integer, text) is not possible: it takes text, text"],
    ["row.tags.exists(t, t.matches(1))", 19, "text has no function matches(integer)"],
  ])("a fault is told at its place: %s", (source, offset, fault) => {
    expect(faults(source)).toEqual([{ text: fault, offset }]);
  });
});
