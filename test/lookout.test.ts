import { expect, test } from "vitest";
import { Customer360Error } from "../src/errors.ts";
import { silentLog } from "../src/log.ts";
import { createLookout } from "../src/lookout.ts";
import { manualClock, settle } from "./helpers/manual-clock.ts";

function lookingAt(ask: () => Promise<void>) {
  const clock = manualClock();
  const said: string[] = [];
  const say = (message: string) => void said.push(message);
  const log = { ...silentLog, info: say, warn: say };
  return { clock, said, lookout: createLookout({ what: "it", ask, clock, log }) };
}

test("what does not answer is away until it answers again, and each is said once", async () => {
  let isUp = true;
  const { clock, said, lookout } = lookingAt(async () => {
    if (!isUp) throw new Customer360Error("STORE_UNAVAILABLE", "secret words");
  });
  const stop = new AbortController();
  const done = lookout.run(stop.signal);
  await clock.advance(5_000);
  expect([lookout.isAway(), said]).toEqual([false, []]);
  isUp = false;
  await clock.advance(5_000);
  expect([lookout.isAway(), said]).toEqual([true, ["it does not answer"]]);
  isUp = true;
  await clock.advance(1_000);
  expect([lookout.isAway(), said]).toEqual([false, ["it does not answer", "it answers again"]]);
  stop.abort();
  await done;
});

test("an answer that takes too long is none, and a stop does not wait for it", async () => {
  const { clock, lookout } = lookingAt(() => new Promise<void>(() => {}));
  const stop = new AbortController();
  const done = lookout.run(stop.signal);
  await settle();
  clock.set(clock.nowMs() + 2_000);
  expect(lookout.isAway()).toBe(false);
  clock.set(clock.nowMs() + 1_000);
  expect(lookout.isAway()).toBe(true);
  stop.abort();
  await done;
});
