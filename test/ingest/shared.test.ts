import { expect, test } from "vitest";
import type { SourceRecord } from "../../src/cdc/change.ts";
import { both } from "../../src/ingest/waiting/both.ts";
import type { Save } from "../../src/store/store.ts";
import { manualClock, settle } from "../helpers/manual-clock.ts";
import { memorySource } from "../helpers/memory-source.ts";
import { memoryStore } from "../helpers/memory-store.ts";
import { memoryUpdates } from "../helpers/memory-updates.ts";
import { record, run } from "./world.ts";

/** A change of a customer's profile: it moves nowhere, so nothing has to be looked up for it. */
const profile = (customer_id: string, at: number): SourceRecord =>
  record({ table: "profile", op: "u", lsn: at, row: { customer_id, tickets: 1 } }, at);

/** A store that several processes share, with all that was asked of it, in order. */
function watchedStore() {
  const store = memoryStore({ shared: true });
  const calls: string[] = [];
  const saves: Save[] = [];
  return {
    store: {
      ...store,
      load: async (request: Parameters<typeof store.load>[0]) => {
        calls.push(request.customers.length > 0 ? "load" : "look");
        return store.load(request);
      },
      save: async (save: Save) => {
        calls.push("save");
        saves.push(save);
        return store.save(save);
      },
    },
    calls,
    saves,
  };
}

test("of batches that follow one another only the first loads anything, each is looked after, and the last saves what was noted of all", async () => {
  const { store, calls, saves } = watchedStore();
  const records = [1, 2, 3].map((at) => profile("ann", at));
  const source = memorySource({ records }, { batchSize: 1 });
  await run({ store, updates: memoryUpdates(), source }, { clock: manualClock() });
  expect(calls).toEqual(["load", "save", "look", "save", "look", "save", "look", "save"]);
  const noted = saves.map(({ checkpoints, tallies }) => checkpoints.length + tallies.length > 0);
  expect(noted).toEqual([true, false, false, true]);
  expect(saves.at(-1)?.checkpoints).toEqual([{ topic: "profile", partition: 0, nextOffset: "4" }]);
  const applied = saves.flatMap(({ tallies }) => tallies).reduce((sum, { count }) => sum + count, 0);
  expect(applied).toBe(3);
});

test("batches with time between them are loaded, and noted with the next save", async () => {
  const { store, calls, saves } = watchedStore();
  let nowMs = Date.UTC(2024, 0, 1);
  const clock = { ...manualClock(), nowMs: () => (nowMs += 100) };
  const source = memorySource({ records: [1, 2].map((at) => profile("ann", at)) }, { batchSize: 1 });
  await run({ store, updates: memoryUpdates(), source }, { clock });
  expect(calls).toEqual(["load", "save", "look", "look", "save", "look", "save"]);
  expect(saves.map(({ checkpoints }) => checkpoints.map(({ nextOffset }) => nextOffset))).toEqual([
    [],
    ["2"],
    ["3"],
  ]);
});

test("what was saved is looked after while it is published, and acknowledged after both", async () => {
  const { store, calls } = watchedStore();
  const publishing = memoryUpdates();
  let publish = (): void => {};
  const allowed = new Promise<void>((resolve) => (publish = resolve));
  const updates = {
    ...publishing,
    publish: async (announced: Parameters<typeof publishing.publish>[0]) => {
      calls.push("publish");
      await allowed;
      await publishing.publish(announced);
    },
  };
  const source = memorySource({ records: [profile("ann", 1)] });
  const done = run({ store, updates, source }, { clock: manualClock() });
  await settle(20);
  expect([...calls].sort()).toEqual(["load", "look", "publish", "save"]);
  expect(await store.checkpoints()).toEqual([]);
  publish();
  await done;
  expect(await store.checkpoints()).toEqual([{ topic: "profile", partition: 0, nextOffset: "2" }]);
});

test("a truncate of our own is seen by the very next batch, also one that has nothing to load", async () => {
  const store = memoryStore({ shared: true });
  const row = { customer_id: "ann", tickets: 1 };
  const records = [
    profile("ann", 1),
    record({ table: "profile", op: "d", lsn: 2, row }, 2),
    record({ table: "profile", op: "t", lsn: 25, row: {} }, 3),
    record({ table: "profile", op: "u", lsn: 20, row }, 4),
  ];
  const updates = memoryUpdates();
  await run(
    { store, updates, source: memorySource({ records }, { batchSize: 1 }) },
    { clock: manualClock() },
  );
  expect(updates.entries.map(({ update }) => update.revision)).toEqual([1, 2]);
});

test("of two things done beside one another both are waited for, also when one fails", async () => {
  const order: string[] = [];
  const slow = settle(3).then(() => void order.push("slow"));
  const failing = Promise.reject(new Error("no"));
  await expect(both(failing, slow).finally(() => order.push("answered"))).rejects.toThrow("no");
  await expect(both(slow, failing)).rejects.toThrow("no");
  expect(order).toEqual(["slow", "answered"]);
  expect(await both(Promise.resolve(1), Promise.resolve(2))).toBe(2);
});

test("what a failed save was to count is counted with the checkpoints that are stored after it", async () => {
  const { store, saves } = watchedStore();
  let nowMs = Date.UTC(2024, 0, 1);
  const records = [1, 2, 3, 4].map((at) => profile("ann", at));
  const failing = {
    ...store,
    save: async (save: Save) => {
      const [first] = save.customers;
      // Time passes before the third, which takes along what was noted of the second, and fails.
      if (first?.after.revision === 2) nowMs += 100;
      if (first?.after.revision === 3) throw new Error("a fault of the store's own");
      return store.save(save);
    },
  };
  const clock = { ...manualClock(), nowMs: () => nowMs };
  const parts = {
    store: failing,
    updates: memoryUpdates(),
    source: memorySource({ records }, { batchSize: 1 }),
  };
  await expect(run(parts, { clock })).rejects.toThrow("a fault of the store's own");
  const applied = saves.flatMap(({ tallies }) => tallies).reduce((sum, { count }) => sum + count, 0);
  expect(saves.at(-1)?.checkpoints).toEqual([{ topic: "profile", partition: 0, nextOffset: "3" }]);
  expect(applied).toBeGreaterThanOrEqual(2);
});
