import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createCursors } from "../../../src/resolvers/frames/cursor.ts";
import type { Resume } from "../../../src/resolvers/frames/cursor.ts";

const cursors = createCursors(Buffer.from("secret"));
const text = fc.string({ unit: "grapheme", maxLength: 20 });
const resume: fc.Arbitrary<Resume> = fc.record({
  at: text,
  page: fc.option(text),
  floors: fc.option(
    fc.array(fc.tuple(text, fc.nat()), { minLength: 1, maxLength: 5 }).map((each) => new Map(each)),
  ),
  afterLoss: fc.boolean(),
});

describe("a cursor", () => {
  it("says where to go on, whatever it is bound to and whatever was signed before", () => {
    fc.assert(
      fc.property(
        text,
        text,
        fc.array(resume, { minLength: 1, maxLength: 3 }),
        (scope, customerId, places) => {
          const watch = { field: "customerUpdates", customerId } as const;
          const binding = { scope, watch };
          for (const place of places) {
            const cursor = cursors.sign(place, binding);
            expect(cursors.open(cursor, scope, watch)).toEqual({ ...place, scope, watch });
          }
        },
      ),
    );
  });
});
