import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { timeline } from "../../src/demo/timeline.ts";

describe("the demo's timeline", () => {
  test("a slot is due exactly from its time on", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20_000 }),
        fc.integer({ min: 0, max: 1_000_000 }),
        (rate, later) => {
          const time = timeline([{ slot: 100, ms: 5_000, rate }]);
          const due = time.upTo(5_000 + later);
          expect(time.ms(due - 1)).toBeLessThanOrEqual(5_000 + later);
          expect(time.ms(due)).toBeGreaterThanOrEqual(5_000 + later);
        },
      ),
    );
  });

  test("what lies before the first anchor is due at once", () => {
    const time = timeline([{ slot: 100, ms: 5_000, rate: 50 }]);
    expect(time.ms(3)).toBe(5_000);
    expect(time.upTo(5_000)).toBe(101);
    expect(time.upTo(4_999)).toBe(0);
  });

  test("a later anchor leaves earlier slots where they were", () => {
    const first = { slot: 100, ms: 5_000, rate: 50 };
    const later = { slot: 200, ms: 1_000_000, rate: 10 };
    const before = timeline([first]);
    const after = timeline([first, later]);
    for (const slot of [0, 100, 150, 199]) expect(after.ms(slot)).toBe(before.ms(slot));
    expect(after.ms(210)).toBe(1_001_000);
    expect(after.upTo(900_000)).toBe(200);
  });
});
