import { describe, expect, test } from "vitest";
import { Customer360Error } from "../src/errors.ts";
import { createHealth } from "../src/health.ts";
import { derivationOf } from "../src/ingest/derivation.ts";
import { createSetbacks } from "../src/ingest/waiting/setbacks.ts";
import { silentLog } from "../src/log.ts";
import { manualClock } from "./helpers/manual-clock.ts";
import { memoryStore } from "./helpers/memory-store.ts";
import { memoryUpdates } from "./helpers/memory-updates.ts";
import { recordingReads } from "./resolvers/bank.ts";
import { world } from "./ingest/world.ts";

/** A process whose world can be broken. */
function process(source: readonly string[] = []) {
  const clock = manualClock();
  const setbacks = createSetbacks(clock);
  const faults: { store: Error | null; stream: Error | null; check: Error | null } = {
    ...{ store: null, stream: null, check: null },
  };
  let derivation: string | null = null;
  const meet = (fault: Error | null) => (fault === null ? Promise.resolve() : Promise.reject(fault));
  const updates = memoryUpdates();
  const everyone = {
    noteDerivation: () => Promise.resolve(),
    everyone: () => Promise.resolve([]),
    pagesOf: () => Promise.resolve([]),
  };
  const health = createHealth({
    ...{ plan: world, setbacks, clock, log: silentLog },
    parts: {
      store: {
        ...{ ...memoryStore(), ...recordingReads([]), ...everyone },
        derivation: async () => {
          await meet(faults.store);
          return derivation;
        },
      },
      updates: {
        ...updates,
        tail: async () => {
          await meet(faults.stream);
          return updates.tail();
        },
      },
      status: { reasons: () => source },
      checkUpdates: () => meet(faults.check),
    },
  });
  const stop = new AbortController();
  return {
    ...{ clock, setbacks, faults, health },
    derive: (version: string, pending = false) =>
      (derivation = JSON.stringify({
        ...derivationOf({ ...world, version }),
        ...(pending && { pending: { kept: [], after: null } }),
      })),
    run: () => void health.run(stop.signal),
    stop: () => stop.abort(),
    said: () => [health.status.reasons(), health.status.warnings()],
  };
}

const away = new Customer360Error("UPDATES_UNAVAILABLE", "away");
const evicting = new Customer360Error("SETTINGS_INVALID", "redis throws keys away");

describe("readiness", () => {
  test("without the store a process is not ready, until it is there again", async () => {
    const it = process();
    it.run();
    await it.clock.advance(1_000);
    expect(it.said()).toEqual([[], []]);
    it.faults.store = new Customer360Error("STORE_UNAVAILABLE", "mongodb://joe:secret@host");
    await it.clock.advance(1_000);
    expect(it.said()).toEqual([["not connected to the store"], []]);
    it.faults.store = null;
    await it.clock.advance(1_000);
    expect(it.said()).toEqual([[], []]);
    it.stop();
  });

  test("what keeps failing makes it not ready, with since when and why, until it works again", async () => {
    const it = process();
    const since = new Date(it.clock.nowMs()).toISOString();
    it.setbacks.failed("saving", "mongodb://joe:secret@host refuses");
    expect(it.said()).toEqual([[], []]);
    await it.clock.advance(3_000);
    it.setbacks.failed("saving", "//joe:secret@host is full");
    await it.clock.advance(2_000);
    expect(it.said()).toEqual([[`saving has failed since ${since}: //***@host is full`], []]);
    it.setbacks.over("saving");
    expect(it.said()).toEqual([[], []]);
  });

  test("without the update stream it is ready, and warns that subscriptions are stale", async () => {
    const it = process(["catching up"]);
    it.faults.stream = away;
    it.run();
    await it.clock.advance(1_000);
    expect(it.said()).toEqual([
      ["catching up"],
      ["not connected to the update stream: subscriptions are stale"],
    ]);
    it.stop();
  });

  test("an update stream that would lose updates ends the start", async () => {
    const it = process();
    it.faults.check = evicting;
    await expect(it.health.begin()).rejects.toBe(evicting);
  });

  test("one that is away at the start is checked once it is there, and a fault found then is a warning for good", async () => {
    const it = process();
    it.faults.stream = it.faults.check = away;
    await it.health.begin();
    it.run();
    await it.clock.advance(5_000);
    it.faults.stream = null;
    it.faults.check = evicting;
    await it.clock.advance(1_000);
    expect(it.said()).toEqual([[], ["redis throws keys away"]]);
    it.faults.check = null;
    await it.clock.advance(100_000);
    expect(it.said()).toEqual([[], ["redis throws keys away"]]);
    it.stop();
  });

  test("customers derived under another pipeline file, or not all of them yet, are a warning", async () => {
    const it = process();
    it.derive("2");
    it.run();
    await it.clock.advance(1_000);
    expect(String(it.health.status.warnings())).toMatch(/another pipeline file \(version 2\).*\(1\)/);
    it.derive("1", true);
    await it.clock.advance(1_000);
    expect(String(it.health.status.warnings())).toContain("being derived anew");
    it.derive("1");
    await it.clock.advance(1_000);
    expect(it.said()).toEqual([[], []]);
    it.stop();
  });
});
