import { expect, test } from "vitest";
import { createPipeline } from "../../src/ingest/pipeline.ts";
import { createRelay } from "../../src/ingest/relay.ts";
import { silentLog } from "../../src/log.ts";
import type { Store } from "../../src/store/store.ts";
import { manualClock, type ManualClock } from "../helpers/manual-clock.ts";
import { memorySource } from "../helpers/memory-source.ts";
import { memoryStore, type MemoryStore } from "../helpers/memory-store.ts";
import { memoryUpdates, type MemoryUpdates } from "../helpers/memory-updates.ts";
import { record, world } from "./world.ts";

interface Running {
  readonly clock: ManualClock;
  readonly store: MemoryStore;
  readonly updates: MemoryUpdates;
  readonly relay: (store?: Store) => { readonly stop: () => Promise<void> };
}

/** A customer with an offer that expires a minute from now. */
async function withOffer(): Promise<Running> {
  const clock = manualClock();
  const store = memoryStore();
  const updates = memoryUpdates();
  const records = [2, 8].map((tickets, at) =>
    record({ table: "profile", op: "u", lsn: at, row: { customer_id: "ann", tickets } }, at),
  );
  const source = memorySource({ records });
  const stopped = new AbortController();
  const parts = { plan: world, store, updates, clock, log: silentLog };
  await createPipeline({ ...parts, source }).run(stopped.signal);
  return {
    clock,
    store,
    updates,
    relay: (watched = store) => {
      const stop = new AbortController();
      const done = createRelay({ ...parts, store: watched }).run(stop.signal);
      return {
        stop: async () => {
          stop.abort();
          await done;
        },
      };
    },
  };
}

const offers = ({ updates }: Running) =>
  updates.entries.flatMap(({ update }) =>
    update.offers.map(({ offer, to }) => `${update.revision} ${offer} ${to}`),
  );

test("what time alone changes is derived, published and confirmed within a second", async () => {
  const running = await withOffer();
  const relay = running.relay();
  await running.clock.advance(59_000);
  expect(offers(running)).toEqual(["1 fan TRIGGERED"]);
  await running.clock.advance(2_000);
  expect(offers(running)).toEqual(["1 fan TRIGGERED", "2 fan EXPIRED"]);
  const ann = running.store.documents.get("ann");
  expect([ann?.dueMs, ann?.outbox]).toEqual([null, []]);
  expect(await running.store.outstanding(running.clock.nowMs(), 10)).toEqual({ due: [], unpublished: [] });
  await relay.stop();
});

test("what was saved and not confirmed is published at the start, under the same revision", async () => {
  const running = await withOffer();
  const { clock, store, updates } = running;
  clock.set(clock.nowMs() + 60_000);
  let isDead = false;
  const dying: Store = {
    ...store,
    save: async (save) => {
      if (isDead) return new Promise(() => {});
      const saved = await store.save(save);
      isDead = true;
      return new Promise(() => saved);
    },
  };
  running.relay(dying);
  await clock.advance(0);
  expect(store.documents.get("ann")?.revision).toBe(2);
  expect(offers(running)).toEqual(["1 fan TRIGGERED"]);
  const relay = running.relay();
  await clock.advance(0);
  expect(offers(running)).toEqual(["1 fan TRIGGERED", "2 fan EXPIRED"]);
  await relay.stop();
  expect(updates.entries.map(({ update }) => update.revision)).toEqual([1, 2]);
});

test("a customer somebody else saved meanwhile is derived in a later round", async () => {
  const running = await withOffer();
  const { clock, store } = running;
  let conflicts = 2;
  const contended: Store = {
    ...store,
    save: async (save) =>
      save.customers.length > 0 && (conflicts -= 1) >= 0
        ? { conflicts: new Set(save.customers.map(({ after }) => after.customerId)) }
        : store.save(save),
  };
  const relay = running.relay(contended);
  await clock.advance(60_900);
  expect(offers(running)).toEqual(["1 fan TRIGGERED", "2 fan EXPIRED"]);
  await relay.stop();
});

test("an outage is waited for", async () => {
  const running = await withOffer();
  let left = 5;
  const down: Store = {
    ...running.store,
    outstanding: async (nowMs, limit) => {
      left -= 1;
      if (left >= 0) throw new Error("down");
      return running.store.outstanding(nowMs, limit);
    },
  };
  const relay = running.relay(down);
  await running.clock.advance(120_000);
  expect(offers(running)).toEqual(["1 fan TRIGGERED", "2 fan EXPIRED"]);
  await relay.stop();
});
