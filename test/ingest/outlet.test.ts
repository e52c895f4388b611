import { expect, test } from "vitest";
import type { SourceRecord } from "../../src/cdc/change.ts";
import type { Clock } from "../../src/clock.ts";
import type { Update } from "../../src/customer/customer.ts";
import { Customer360Error } from "../../src/errors.ts";
import { createPipeline } from "../../src/ingest/pipeline.ts";
import { createRelay } from "../../src/ingest/relay.ts";
import type { PipelineLimits } from "../../src/ingest/shell.ts";
import { silentLog } from "../../src/log.ts";
import type { Store } from "../../src/store/store.ts";
import { memorySource } from "../helpers/memory-source.ts";
import { memoryStore } from "../helpers/memory-store.ts";
import { memoryUpdates } from "../helpers/memory-updates.ts";
import { record, world } from "./world.ts";

/** Time that nobody waits for: it jumps. */
function hastyClock(): Clock {
  let nowMs = Date.UTC(2024, 0, 1);
  return {
    nowMs: () => (nowMs += 10),
    wait: async (ms) => {
      nowMs += ms;
      await new Promise<void>((resolve) => setImmediate(resolve));
    },
  };
}

/** A stream that is away for those attempts at publishing, counted from 1, of which `isAway` says so. */
function streamAway(isAway: (attempt: number) => boolean) {
  const updates = memoryUpdates();
  let attempts = 0;
  const publish = async (announced: readonly Update[]) => {
    attempts += 1;
    if (isAway(attempts)) throw new Customer360Error("UPDATES_UNAVAILABLE", "away");
    await updates.publish(announced);
  };
  return { ...updates, publish, attempts: () => attempts };
}

const tickets = (customer: string, count: number, at: number) =>
  record({ table: "profile", op: "u", lsn: at, row: { customer_id: customer, tickets: count } }, at);

function running(
  records: readonly SourceRecord[],
  updates: ReturnType<typeof streamAway>,
  limits: Partial<PipelineLimits> = {},
) {
  const clock = hastyClock();
  const store = memoryStore();
  const source = memorySource({ records }, { batchSize: 1 });
  const parts = { plan: world, store, updates, clock, log: silentLog };
  const pipeline = createPipeline({ ...parts, source, limits });
  return {
    ...{ store, pipeline },
    run: () => pipeline.run(new AbortController().signal),
    /** Runs until nothing is outstanding. */
    relay: async () => {
      const stop = new AbortController();
      const outstanding: Store["outstanding"] = async (nowMs, limit) => {
        const found = await store.outstanding(nowMs, limit);
        if (found.unpublished.length === 0) stop.abort();
        return found;
      };
      await createRelay({ ...parts, store: { ...store, outstanding } }).run(stop.signal);
    },
  };
}

const told = ({ entries }: ReturnType<typeof streamAway>) =>
  entries.map(({ update: { customerId, revision } }) => `${customerId}${revision}`);

test("with the stream away ingest goes on: all is saved and acknowledged, and told by the relay once the stream is back", async () => {
  let isBack = false;
  const updates = streamAway((attempt) => attempt > 2 && !isBack);
  const records = ["ann", "bob", "cat", "ann", "dan", "bob"].map((id, at) => tickets(id, at + 1, at));
  const { store, pipeline, relay, run } = running(records, updates);
  await run();
  expect(told(updates)).toEqual(["ann1", "bob1"]);
  const saved = [...store.documents.values()].map(({ customerId, revision }) => `${customerId}${revision}`);
  expect(saved.sort()).toEqual(["ann2", "bob2", "cat1", "dan1"]);
  expect((await store.checkpoints()).map(({ nextOffset }) => nextOffset)).toEqual(["6"]);
  expect(pipeline.unpublished()).toBe(4);
  expect([...(await store.outstanding(0, 10)).unpublished].sort()).toEqual(["ann", "bob", "cat", "dan"]);
  isBack = true;
  await relay();
  expect(told(updates).sort()).toEqual(["ann1", "ann2", "bob1", "bob2", "cat1", "dan1"]);
  expect([...store.documents.values()].flatMap(({ outbox }) => outbox)).toEqual([]);
});

test("a stream that comes back is found by ingest itself: what it publishes from then on takes along what waited of that customer", async () => {
  const updates = streamAway((attempt) => attempt < 8);
  const records = Array.from({ length: 400 }, (_, at) => tickets(at % 2 === 0 ? "ann" : "bob", at + 1, at));
  const { pipeline, run } = running(records, updates);
  await run();
  expect(pipeline.unpublished()).toBe(0);
  expect(told(updates)).toHaveLength(400);
  for (const id of ["ann", "bob"]) {
    const revisions = updates.entries.filter(({ update }) => update.customerId === id);
    expect(revisions.map(({ update }) => update.revision)).toEqual(revisions.map((_, index) => index + 1));
  }
});

test("a stream that is away for a moment is waited for, and nothing is left to the relay", async () => {
  const updates = streamAway((attempt) => attempt < 4);
  const { store, pipeline, run } = running([tickets("ann", 1, 0), tickets("bob", 2, 1)], updates);
  await run();
  expect(told(updates)).toEqual(["ann1", "bob1"]);
  expect((await store.outstanding(0, 10)).unpublished).toEqual([]);
  expect(pipeline.unpublished()).toBe(0);
});

test("when more customers wait than may, ingest waits as well", async () => {
  const updates = streamAway((attempt) => attempt < 30);
  const records = ["ann", "bob", "cat", "dan"].map((id, at) => tickets(id, at + 1, at));
  const { store, run } = running(records, updates, { unpublished: 2 });
  await run();
  expect(updates.attempts()).toBeGreaterThanOrEqual(30);
  expect(told(updates)).toEqual(["cat1", "dan1"]);
  expect([...(await store.outstanding(0, 10)).unpublished].sort()).toEqual(["ann", "bob"]);
});

test("what cannot be told does not grow without bound: the newest announcement takes in those before it", async () => {
  let isBack = false;
  const updates = streamAway(() => !isBack);
  const records = Array.from({ length: 150 }, (_, at) => tickets("ann", at + 1, at));
  const { store, relay, run } = running(records, updates);
  await run();
  expect(store.documents.get("ann")?.revision).toBe(150);
  expect(store.documents.get("ann")?.outbox).toHaveLength(100);
  isBack = true;
  await relay();
  const revisions = updates.entries.map(({ update }) => update.revision);
  expect(revisions).toEqual([...Array.from({ length: 99 }, (_, index) => index + 1), 150]);
  expect(updates.entries.at(-1)?.update.changed).toContain("profile");
});
