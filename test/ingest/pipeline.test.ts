import { expect, test } from "vitest";
import type { Plan } from "../../src/customer/plan.ts";
import { Customer360Error } from "../../src/errors.ts";
import { createPipeline } from "../../src/ingest/pipeline.ts";
import { silentLog } from "../../src/log.ts";
import { manualClock } from "../helpers/manual-clock.ts";
import { memorySource, textRecord } from "../helpers/memory-source.ts";
import { memoryStore, type MemoryStore } from "../helpers/memory-store.ts";
import { memoryUpdates } from "../helpers/memory-updates.ts";
import { documents, ingest, line, type Ports, record, run, world } from "./world.ts";

test("changes become documents, and each saved revision with something to tell is published once", async () => {
  const { store, updates } = await ingest([
    record({ table: "profile", op: "c", lsn: 1, row: { customer_id: "ann", tickets: 3 } }, 0),
    record({ table: "profile", op: "u", lsn: 2, row: { customer_id: "ann", tickets: 7 } }, 1),
    record(
      {
        table: "payments",
        op: "c",
        lsn: 3,
        row: { id: 1, customer_id: "ann", amount: 40, posted_on: 19723, note: "a" },
      },
      0,
    ),
    line("ann", 10, 0),
  ]);
  const ann = store.documents.get("ann");
  expect(ann?.metrics).toMatchObject({ mostTickets: 7, spent: 40, largest: 40, booked: 10 });
  expect(ann?.offers.fan?.state).toBe("TRIGGERED");
  expect(updates.entries.map(({ update }) => [update.customerId, update.revision])).toEqual([["ann", 1]]);
  expect(Object.keys(documents({ store }))).toEqual(["ann"]);
  expect(Object.fromEntries(store.tallies)).toEqual({
    "profile verdict applied": 2,
    "payments verdict applied": 1,
    "ledger verdict applied": 1,
  });
});

const ann = (tickets: number, lsn: number) =>
  record({ table: "profile", op: "u", lsn, row: { customer_id: "ann", tickets } }, lsn);
const bob = (tickets: number, lsn: number) =>
  record({ table: "profile", op: "u", lsn, row: { customer_id: "bob", tickets } }, lsn);
const payment = (id: number, amount: number, lsn: number, customer = "ann") =>
  record(
    {
      table: "payments",
      op: "u",
      lsn,
      row: { id, customer_id: customer, amount, posted_on: 19_723, note: "n" },
    },
    lsn,
  );

/** A port one of whose methods fails so many times. */
function failing<P extends object, M extends keyof P>(port: P, method: M, times: number): P {
  let left = times;
  const original = port[method];
  return {
    ...port,
    [method]: async (...args: readonly unknown[]) => {
      left -= 1;
      if (left >= 0) throw new Customer360Error("STORE_UNAVAILABLE", "down");
      if (typeof original !== "function") throw new Error(`no method ${String(method)}`);
      return original(...args);
    },
  };
}

test("every rule is counted by action and name; refused records keep bytes and all violated rules", async () => {
  const { store } = await ingest([
    line("ann", 5_001, 0),
    line("ann", 3, 1),
    line("nobody", 2, 2),
    line("ann", 4, 3),
  ]);
  expect(Object.fromEntries(store.tallies)).toEqual({
    "ledger rule quarantine:small": 1,
    "ledger rule warn:even": 2,
    "ledger rule drop:known": 1,
    "ledger verdict applied": 2,
  });
  expect(
    [...store.quarantine.values()].map(({ refusal, table }) => [table, refusal.code, refusal.rules]),
  ).toEqual([["ledger", "expectation", expect.arrayContaining(["small"])]]);
});

test("records of a customer too large to be saved are put aside, those of the others are not, and all are acknowledged", async () => {
  const memory = memoryStore();
  const store: MemoryStore = {
    ...memory,
    save: async (save) => {
      const kept = save.customers.filter(({ before }) => before.customerId !== "ann");
      const saved = await memory.save({ ...save, customers: kept });
      return kept.length === save.customers.length
        ? saved
        : { ...saved, refused: new Map([["ann", "far too large"]]) };
    },
  };
  const updates = memoryUpdates();
  const records = [ann(1, 1), bob(2, 2), payment(1, 40, 3), payment(2, 40, 4, "bob")];
  await run({ store, updates, source: memorySource({ records }) });
  expect([...store.documents.keys()]).toEqual(["bob"]);
  expect(updates.entries.map(({ update }) => update.customerId)).toEqual(["bob"]);
  expect(
    [...store.quarantine.values()].map(({ record, refusal }) => [
      record.offset,
      refusal.code,
      refusal.reason,
    ]),
  ).toEqual([
    ["1", "too-large", "far too large"],
    ["3", "too-large", "far too large"],
  ]);
  expect(Object.fromEntries(store.tallies)).toEqual({
    "profile verdict applied": 1,
    "payments verdict applied": 1,
  });
  const ends = (await store.checkpoints()).map(({ topic, nextOffset }) => [topic, nextOffset]);
  expect(Object.fromEntries(ends)).toEqual({ profile: "3", payments: "5" });
});

test("a rule with action fail stops the pipeline before anything of its batch is saved", async () => {
  const store = memoryStore();
  const updates = memoryUpdates();
  const records = [line("ann", 2, 0), line("ann", 4, 1), line("ann", -1, 2), line("ann", 6, 3)];
  const source = memorySource({ records }, { batchSize: 2 });
  await expect(run({ store, updates, source })).rejects.toMatchObject({ code: "EXPECTATION_FAILED" });
  expect(store.documents.get("ann")?.metrics.booked).toBe(6);
  expect(await store.checkpoints()).toEqual([{ topic: "ledger", partition: 0, nextOffset: "2" }]);
  expect(store.tallies.get("ledger rule fail:sane")).toBe(1);
});

test("what is no change is counted under its table or topic, what is unreadable is quarantined", async () => {
  const broken = {
    origin: { topic: "file:x.gz", partition: 1, offset: "0" },
    reason: "cut short",
    bytes: null,
  };
  const store = memoryStore();
  const records = [
    textRecord({ topic: "profile", offset: 0 }, null, '{"customer_id":"ann"}'),
    textRecord({ topic: "profile", offset: 1 }, "{nonsense"),
    textRecord({ topic: "elsewhere", offset: 0 }, "{}"),
  ];
  const source = memorySource({ records, unreadable: [broken] });
  await run({ store, updates: memoryUpdates(), source });
  expect(store.tallies.get("profile skip tombstone")).toBe(1);
  expect(store.tallies.get("elsewhere skip unmapped-topic")).toBe(1);
  expect(
    [...store.quarantine.values()].map(({ record: { topic }, refusal }) => [topic, refusal.code]),
  ).toEqual([
    ["file:x.gz", "unreadable"],
    ["profile", "unreadable"],
  ]);
});

test.each([
  ["store", "load"],
  ["store", "save"],
  ["store", "checkpoints"],
  ["updates", "publish"],
  ["source", "start"],
  ["source", "next"],
] as const)("an outage of the %s (%s) is waited for, and nothing is given up", async (port, method) => {
  const clock = manualClock();
  const ports: Record<string, object> = {
    store: memoryStore(),
    updates: memoryUpdates(),
    source: memorySource({ records: [ann(1, 1), ann(7, 2)] }),
  };
  const healthy = ports.store as MemoryStore;
  ports[port] = failing(ports[port] as Record<string, unknown>, method, 30);
  let isDone = false;
  const done = run(ports as unknown as Ports, { clock }).then(() => {
    isDone = true;
  });
  while (!isDone) await clock.advance(10_000);
  await done;
  expect(healthy.documents.get("ann")?.metrics.mostTickets).toBe(7);
  expect([...healthy.quarantine]).toEqual([]);
});

test("a stop during an outage leaves the batch unacknowledged", async () => {
  const clock = manualClock();
  const store = memoryStore();
  const stop = new AbortController();
  const source = memorySource({ records: [ann(1, 1)] }, { follow: true });
  const ports = { store: failing(store, "save", Infinity), updates: memoryUpdates(), source };
  const pipeline = createPipeline({ plan: world, ...ports, clock, log: silentLog });
  const done = pipeline.run(stop.signal);
  await clock.advance(60_000);
  stop.abort();
  await done;
  expect(await store.checkpoints()).toEqual([]);
  expect(source.acknowledged).toEqual([]);
});

test("a stop finishes the batch in hand and stores its checkpoint", async () => {
  const clock = manualClock();
  const store = memoryStore();
  const stop = new AbortController();
  const source = memorySource({ records: [ann(1, 1)] }, { follow: true });
  const publishing = memoryUpdates();
  const updates = {
    ...publishing,
    publish: async (announced: Parameters<typeof publishing.publish>[0]) => {
      stop.abort();
      await publishing.publish(announced);
    },
  };
  await createPipeline({ plan: world, store, updates, source, clock, log: silentLog }).run(stop.signal);
  expect(await store.checkpoints()).toEqual([{ topic: "profile", partition: 0, nextOffset: "2" }]);
  expect(publishing.entries).toHaveLength(1);
});

test("with nothing more to do the checkpoint is stored within idleMs, then told to the source", async () => {
  const clock = manualClock();
  const store = memoryStore();
  const stop = new AbortController();
  const source = memorySource({ records: [ann(1, 1)] }, { follow: true });
  const done = createPipeline({
    plan: world,
    store,
    updates: memoryUpdates(),
    source,
    clock,
    log: silentLog,
  }).run(stop.signal);
  await clock.asleep();
  expect(await store.checkpoints()).toEqual([]);
  await clock.advance(200);
  expect(await store.checkpoints()).toEqual([{ topic: "profile", partition: 0, nextOffset: "2" }]);
  expect(source.acknowledged).toEqual([{ topic: "profile", partition: 0, nextOffset: "2" }]);
  stop.abort();
  await done;
});

test("a change the core fails on is quarantined alone, and its neighbours are applied", async () => {
  const fragile: Plan = {
    ...world,
    offers: world.offers.map((one) =>
      one.trigger.kind === "crosses"
        ? {
            ...one,
            trigger: {
              ...one.trigger,
              condition: ({ tickets }) => {
                if (tickets === 13) throw new Error("a fault of ours");
                return Number(tickets) >= 6;
              },
            },
          }
        : one,
    ),
  };
  const { store } = await ingest([ann(1, 1), ann(13, 2), ann(7, 3), bob(2, 4)], { plan: fragile });
  expect(store.documents.get("ann")?.metrics.mostTickets).toBe(7);
  expect(store.documents.get("bob")?.metrics.mostTickets).toBe(2);
  expect(
    [...store.quarantine.values()].map(({ record: { offset }, refusal }) => [offset, refusal.code]),
  ).toEqual([["2", "fault"]]);
  expect(store.tallies.get("profile verdict applied")).toBe(3);
  const all = ingest([ann(13, 1), bob(13, 2)], { plan: fragile });
  await expect(all).rejects.toThrow("changes of profile cannot be applied");
});

test("of two records at one place in a file, the refused one is kept with its own bytes", async () => {
  const nobody = (balance: number) =>
    record({ table: "accounts", op: "u", lsn: balance, row: { id: balance, customer_id: null, balance } }, 7);
  const { store } = await ingest([nobody(1), nobody(2)]);
  const kept = [...store.quarantine.values()].map(({ record: { value } }) => Buffer.from(value ?? []));
  expect(kept.map((bytes) => /"balance":\d/.exec(bytes.toString())?.[0]).sort()).toEqual([
    '"balance":1',
    '"balance":2',
  ]);
});

test("only the customers somebody else saved meanwhile are folded again, and each verdict is counted once", async () => {
  const store = memoryStore();
  const updates = memoryUpdates();
  let turns = 0;
  const meddled: MemoryStore = {
    ...store,
    save: async (save) => {
      turns += 1;
      if (turns === 1) await run({ store, updates, source: memorySource({ records: [ann(9, 5)] }) });
      return store.save(save);
    },
  };
  await run({
    store: meddled,
    updates,
    source: memorySource({ records: [ann(1, 1), bob(1, 2), payment(1, 5, 3)] }),
  });
  expect(store.documents.get("ann")?.metrics).toMatchObject({ mostTickets: 9, spent: 5 });
  expect(store.documents.get("ann")?.revision).toBe(2);
  expect(store.documents.get("bob")?.revision).toBe(1);
  expect(Object.fromEntries(store.tallies)).toEqual({
    "profile verdict applied": 2,
    "profile verdict late": 1,
    "payments verdict applied": 1,
  });
});

test("a page whose greatest row leaves is loaded whole and counted again", async () => {
  const { store } = await ingest([payment(1, 5, 1), payment(2, 90, 2), payment(2, 3, 3)], { batchSize: 1 });
  expect(store.documents.get("ann")?.metrics).toMatchObject({ largest: 5, spent: 8 });
});

test("a truncate empties everybody's rows of its table, and keeps out what came before it", async () => {
  const truncate = record({ table: "payments", op: "t", lsn: 5, row: {} }, 5);
  for (const batchSize of [1, 10]) {
    const { store, updates } = await ingest(
      [payment(1, 5, 1), payment(2, 6, 2, "bob"), truncate, payment(3, 7, 6), payment(4, 8, 4)],
      { batchSize },
    );
    expect(store.documents.get("ann")?.metrics).toMatchObject({ spent: 7 });
    expect(Number(store.documents.get("bob")?.metrics.spent ?? 0)).toBe(0);
    expect(store.tallies.get("payments verdict blocked-by-truncate")).toBeGreaterThan(0);
    expect(updates.entries.at(-1)?.update.customerId).toBe("ann");
  }
});

test("a backlog is worked on in pieces of bounded bytes, each customer saved once per piece", async () => {
  const records = Array.from({ length: 60 }, (_, at) => ({ ...ann(at, at), partition: at % 3 }));
  const { store } = await ingest(records, { batchSize: 10, limits: { batchBytes: 1 } });
  expect(store.documents.get("ann")?.revision).toBe(6);
  const { store: merged } = await ingest(records, { batchSize: 10 });
  expect(merged.documents.get("ann")?.revision).toBe(2);
});
