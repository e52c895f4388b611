import fc from "fast-check";
import { expect, test } from "vitest";
import type { CustomerFilter } from "../../../../src/customer/values/filter.ts";
import { factsOf } from "../../../../src/store/facts.ts";
import { mongoFilter } from "../../../../src/store/mongo/reads/filter.ts";
import { filters, HOSTILE_TEXTS } from "../../../contract/documents.ts";
import { SHAPES } from "../../../contract/shapes.ts";

const facts = new Map(
  factsOf(SHAPES).flatMap((group) => group.facts.map((fact) => [fact.name, fact] as const)),
);
const find = (name: string) => facts.get(name) ?? null;

const EXPECTED = /^\$(and|or|nor|in|eq|ne|lt|lte|gt|gte|exists|regex)$/;

function operatorsIn(match: unknown): readonly string[] {
  if (typeof match !== "object" || match === null) return [];
  return Object.entries(match).flatMap(([name, inner]) => [
    ...(name.startsWith("$") ? [name] : []),
    ...operatorsIn(inner),
  ]);
}

test("no text of a filter becomes an operator", () => {
  const hostile = fc.constantFrom(...HOSTILE_TEXTS);
  const leaves: fc.Arbitrary<CustomerFilter> = fc.record({
    kind: fc.constant("field"),
    field: fc.constant({ kind: "metric", name: "city", as: "text" }),
    test: fc.oneof(
      fc.record({ op: fc.constantFrom("eq", "ne", "gt", "contains", "startsWith"), value: hostile }),
      fc.record({ op: fc.constant("in"), values: fc.array(hostile) }),
    ),
  });
  const tiers: fc.Arbitrary<CustomerFilter> = fc.record({
    kind: fc.constant("segment"),
    segment: fc.constant("vip"),
    in: fc.array(hostile),
  });
  fc.assert(
    fc.property(fc.oneof(filters, leaves, tiers), (filter) => {
      for (const operator of operatorsIn(mongoFilter(filter, find).match)) expect(operator).toMatch(EXPECTED);
    }),
    { numRuns: 2_000 },
  );
});

test("a text that is searched is found as it is, however much it looks like a pattern", () => {
  const texts = fc.oneof(
    fc.constantFrom(...HOSTILE_TEXTS, "(a+)+$", "[", "\\", "^a|b", "a{2}", "*", "a/b-c", "é.*"),
    fc.string(),
  );
  const pattern = (op: "contains" | "startsWith", value: string) => {
    const { match } = mongoFilter(
      { kind: "field", field: { kind: "metric", name: "city", as: "text" }, test: { op, value } },
      find,
    );
    const [condition] = Object.values(match) as readonly { readonly $regex: string }[];
    return condition?.$regex ?? "none";
  };
  fc.assert(
    fc.property(texts, texts, (needle, other) => {
      const kept = (text: string) => {
        const eq = { op: "eq", value: text } as const;
        const { match } = mongoFilter(
          { kind: "field", field: { kind: "metric", name: "city", as: "text" }, test: eq },
          find,
        );
        return String((Object.values(match) as readonly { readonly $eq: string }[])[0]?.$eq);
      };
      for (const text of [other, other + needle, needle + other]) {
        expect(new RegExp(pattern("contains", needle)).test(kept(text))).toBe(text.includes(needle));
        expect(new RegExp(pattern("startsWith", needle)).test(kept(text))).toBe(text.startsWith(needle));
      }
      expect(pattern("contains", needle)).not.toContain("\u0000");
    }),
    { numRuns: 2_000 },
  );
});
