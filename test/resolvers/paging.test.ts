import fc from "fast-check";
import { expect, test } from "vitest";
import { codeOf } from "../../src/errors.ts";
import { MAX_PAGE, pageOf, pageWithin } from "../../src/resolvers/paging.ts";
import type { ListPage } from "../../src/resolvers/paging.ts";

test.each([0, -1, MAX_PAGE + 1, 1.5, 2 ** 31])("`first` of %s is an error that says the maximum", (first) => {
  expect(() => pageOf({ first })).toThrow(`\`first\` must be 1 to ${MAX_PAGE}, not ${first}.`);
});

test.each([
  [undefined, 50],
  [null, 50],
  [1, 1],
  [MAX_PAGE, MAX_PAGE],
])("`first` of %s asks for %s", (first, expected) => {
  expect(pageOf({ first })).toEqual({ first: expected, after: null });
});

test("pages one after the other hold the whole list once, in order", () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.string()),
      fc.integer({ min: 1, max: 5 }),
      fc.boolean(),
      (all, first, descending) => {
        const seen: string[] = [];
        let after: string | null = null;
        for (;;) {
          const page: ListPage<string> = pageWithin(
            all,
            { first, after },
            { rank: (text) => text, descending },
          );
          seen.push(...page.edges.map((edge) => edge.node));
          expect(page.hasPrevious).toBe(after !== null);
          after = page.edges.at(-1)?.cursor ?? null;
          if (!page.hasNext) break;
        }
        const sorted = [...all].sort((a, b) => (a < b ? -1 : 1));
        expect(seen).toEqual(descending ? sorted.reverse() : sorted);
      },
    ),
  );
});

test("a page goes on in its place when what it stopped at has gone", () => {
  const order = { rank: (text: string) => text, descending: false };
  const [edge] = pageWithin(["a", "b", "c"], { first: 1, after: null }, order).edges;
  const rest = pageWithin(["b", "c"], { first: 2, after: edge?.cursor ?? null }, order);
  expect(rest.edges.map(({ node }) => node)).toEqual(["b", "c"]);
});

test.each(["", "x", "%%%", Buffer.from("s:a").toString("base64url")])(
  "%j is no cursor of a list",
  (after) => {
    const read = () => pageWithin(["a"], { first: 1, after }, { rank: (text) => text, descending: false });
    expect(read).toThrow("`after` is not a cursor of this list.");
    try {
      read();
    } catch (error) {
      expect(codeOf(error)).toBe("CURSOR_INVALID");
    }
  },
);
