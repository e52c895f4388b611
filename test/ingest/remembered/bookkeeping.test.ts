import { expect, test } from "vitest";
import { createBookkeeping } from "../../../src/ingest/remembered/bookkeeping.ts";
import { manualClock } from "../../helpers/manual-clock.ts";

test("bookkeeping goes along once in its time, and whenever a save is made for it", () => {
  const clock = manualClock();
  const bookkeeping = createBookkeeping(clock, 100);
  const saves = [false, false, true, false].map((now) => bookkeeping.goesAlong(now));
  expect(saves).toEqual([true, false, true, false]);
  clock.set(clock.nowMs() + 100);
  expect(bookkeeping.goesAlong(false)).toBe(true);
});

test("a clock that is set back keeps no bookkeeping waiting", () => {
  const clock = manualClock();
  const bookkeeping = createBookkeeping(clock, 100);
  expect(bookkeeping.goesAlong(false)).toBe(true);
  clock.set(clock.nowMs() - 1);
  expect(bookkeeping.goesAlong(false)).toBe(true);
});

test("without a pause between them, every save takes bookkeeping along", () => {
  const bookkeeping = createBookkeeping(manualClock(), 0);
  expect([bookkeeping.goesAlong(false), bookkeeping.goesAlong(false)]).toEqual([true, true]);
});
