import { expect, test } from "vitest";
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

test("a clock that is set back makes no watermark fresh", () => {
  const clock = manualClock();
  const watermarks = createWatermarks(clock, 100);
  watermarks.seen(SEEN, clock.nowMs());
  clock.set(clock.nowMs() - 1);
  expect(watermarks.recent()).toBeNull();
});

test("without a time to remember for, no watermark is fresh", () => {
  const clock = manualClock();
  const watermarks = createWatermarks(clock, 0);
  watermarks.seen(SEEN, clock.nowMs());
  expect(watermarks.recent()).toBeNull();
});
