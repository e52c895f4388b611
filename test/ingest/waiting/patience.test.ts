import { expect, test } from "vitest";
import { Customer360Error } from "../../../src/errors.ts";
import { createPatience } from "../../../src/ingest/waiting/patience.ts";
import { createSetbacks } from "../../../src/ingest/waiting/setbacks.ts";
import { silentLog } from "../../../src/log.ts";
import { noMetrics } from "../../../src/metrics.ts";
import { manualClock } from "../../helpers/manual-clock.ts";

function patient() {
  const clock = manualClock();
  const setbacks = createSetbacks(clock);
  const signal = new AbortController().signal;
  const patience = createPatience({ clock, log: silentLog, metrics: noMetrics, setbacks, signal });
  return { clock, setbacks, patience };
}

test("an outage is waited for, is told of while it lasts, and no longer than that", async () => {
  const { clock, setbacks, patience } = patient();
  const since = new Date(clock.nowMs()).toISOString();
  let isFull = true;
  const saved = patience("saving", () =>
    isFull
      ? Promise.reject(new Customer360Error("STORE_UNAVAILABLE", "there is no room left"))
      : Promise.resolve("saved"),
  );
  await clock.advance(4_000);
  expect(setbacks.lasting()).toEqual([]);
  await clock.advance(60_000);
  expect(setbacks.lasting()).toEqual([`saving has failed since ${since}: there is no room left`]);
  isFull = false;
  await clock.advance(10_000);
  expect(await saved).toBe("saved");
  expect(setbacks.lasting()).toEqual([]);
});

test("a damaged store is no outage: it is not tried again", async () => {
  const damaged = new Customer360Error("STORE_DAMAGED", "store.db is damaged");
  await expect(patient().patience("saving", () => Promise.reject(damaged))).rejects.toBe(damaged);
});
