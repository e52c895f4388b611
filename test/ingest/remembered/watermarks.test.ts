import { expect, test } from "vitest";
import { createNotes } from "../../../src/ingest/remembered/notes.ts";
import { createWatermarks } from "../../../src/ingest/remembered/watermarks.ts";
import { manualClock } from "../../helpers/manual-clock.ts";

const SEEN = { accounts: "0001" };

test("watermarks are good from the moment their look began, for as long as was said, and not at all once one is raised here", () => {
  const clock = manualClock();
  const watermarks = createWatermarks(clock, 100);
  expect(watermarks.recent()).toBeNull();
  watermarks.seen(SEEN, clock.nowMs() - 60);
  expect(watermarks.recent()).toBe(SEEN);
  clock.set(clock.nowMs() + 39);
  expect(watermarks.recent()).toBe(SEEN);
  clock.set(clock.nowMs() + 1);
  expect(watermarks.recent()).toBeNull();
  watermarks.seen(SEEN, clock.nowMs());
  watermarks.forget();
  expect(watermarks.recent()).toBeNull();
});

test("a clock that is set back makes no watermark fresh, and keeps no note waiting", () => {
  const clock = manualClock();
  const watermarks = createWatermarks(clock, 100);
  const notes = createNotes(clock, 100);
  watermarks.seen(SEEN, clock.nowMs());
  expect(notes.areDue(false)).toBe(true);
  clock.set(clock.nowMs() - 1);
  expect(watermarks.recent()).toBeNull();
  expect(notes.areDue(false)).toBe(true);
});

test("notes are due once in their time, and whenever a save is made for them", () => {
  const clock = manualClock();
  const notes = createNotes(clock, 100);
  expect([notes.areDue(false), notes.areDue(false), notes.areDue(true), notes.areDue(false)]).toEqual([
    true,
    false,
    true,
    false,
  ]);
  clock.set(clock.nowMs() + 100);
  expect(notes.areDue(false)).toBe(true);
});

test("without a time to remember for, nothing is fresh and notes are always due", () => {
  const clock = manualClock();
  const watermarks = createWatermarks(clock, 0);
  const notes = createNotes(clock, 0);
  watermarks.seen(SEEN, clock.nowMs());
  expect(watermarks.recent()).toBeNull();
  expect([notes.areDue(false), notes.areDue(false)]).toEqual([true, true]);
});
