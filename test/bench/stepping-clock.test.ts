import { describe, expect, test } from "vitest";
import { steppingClock } from "../../src/bench/stepping-clock.ts";

const never = new AbortController().signal;

describe("a clock that steps", () => {
  test("an hour of short waits takes no hour, and time never runs ahead of the work", async () => {
    const clock = steppingClock(0, 1_000);
    const seen: number[] = [];
    while (clock.nowMs() < 3_600_000) {
      await clock.wait(10, never);
      seen.push(clock.nowMs());
    }
    expect(seen).toEqual(Array.from({ length: 3_600 }, (_, index) => (index + 1) * 1_000));
  });

  test("a wait longer than a step is waited for in full, and not much longer", async () => {
    const clock = steppingClock(0, 1_000);
    await clock.wait(7_500, never);
    expect(clock.nowMs()).toBe(7_500);
  });

  test("nobody is released before their time", async () => {
    const clock = steppingClock(0, 1_000);
    const released: string[] = [];
    const long = clock.wait(2_500, never).then(() => released.push(`long at ${clock.nowMs()}`));
    await clock.wait(10, never);
    released.push(`short at ${clock.nowMs()}`);
    await long;
    expect(released).toEqual(["short at 1000", "long at 2500"]);
  });

  test("an aborted wait ends at once, also while no time passes", async () => {
    const clock = steppingClock(0, 1_000);
    clock.pause();
    const waker = new AbortController();
    const waited = clock.wait(10, waker.signal);
    waker.abort();
    await waited;
    expect(clock.nowMs()).toBe(0);
    await clock.wait(10, waker.signal);
  });

  test("no time passes while it is paused", async () => {
    const clock = steppingClock(0, 1_000);
    let isOver = false;
    const waited = clock.wait(10, never).then(() => (isOver = true));
    clock.pause();
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    expect(isOver).toBe(false);
    clock.resume();
    await waited;
    expect(clock.nowMs()).toBe(1_000);
  });
});
