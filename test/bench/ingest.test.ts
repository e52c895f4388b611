import { describe, expect, test } from "vitest";
import { arraySource } from "../../src/bench/array-source.ts";
import { arrayUpdates } from "../../src/bench/array-updates.ts";
import { ingestDurably, openDurable } from "../../src/bench/durable.ts";
import { MemoryIngest } from "../../src/bench/memory-ingest.ts";
import { BENCH_PIPELINE, benchRecords, customerRecords } from "../../src/bench/records.ts";
import { newCustomer } from "../../src/customer/customer.ts";
import type { Update } from "../../src/customer/customer.ts";
import { loadPlan } from "../../src/plan/load.ts";

const plan = loadPlan(BENCH_PIPELINE, "bench.yaml");
const records = benchRecords({ seed: 3, customers: 40, count: 600, schema: false });
const never = new AbortController().signal;

describe("what is measured is right", () => {
  test("the same seed makes the same records", () => {
    const again = benchRecords({ seed: 3, customers: 40, count: 600, schema: false });
    expect(again.map(({ value }) => String(value))).toEqual(records.map(({ value }) => String(value)));
  });

  test("a repeat applies nothing", () => {
    const ingest = new MemoryIngest(plan);
    ingest.run(records);
    const { applied } = ingest;
    expect(applied).toBeGreaterThan(500);
    ingest.run(records);
    expect(ingest.applied).toBe(applied);
  });

  test("the embedded schema changes nothing about the documents", () => {
    const plain = new MemoryIngest(plan);
    const embedded = new MemoryIngest(plan);
    plain.run(records);
    embedded.run(benchRecords({ seed: 3, customers: 40, count: 600, schema: true }));
    for (let id = 1; id <= 40; id += 1)
      expect(embedded.customer(String(id))?.metrics).toEqual(plain.customer(String(id))?.metrics);
  });

  test("the path in memory and the durable path come to the same figures", async () => {
    const memory = new MemoryIngest(plan);
    memory.run(records);
    const parts = openDurable(plan);
    await ingestDurably(parts, { plan, records, batchSize: 97 });
    const ids = Array.from({ length: 40 }, (_, index) => String(index + 1));
    const stored = await parts.store.customers(ids);
    await parts.close();
    expect(stored.map((customer) => customer?.metrics)).toEqual(
      ids.map((id) => memory.customer(id)?.metrics),
    );
  });

  test("every customer that is served has a profile and two payments", () => {
    const memory = new MemoryIngest(plan);
    memory.run(customerRecords(5));
    for (let id = 1; id <= 5; id += 1) {
      expect(Object.keys(memory.customer(String(id))?.tables["profiles"] ?? {})).toHaveLength(1);
      expect(memory.customer(String(id))?.metrics["payments"]).toBe(2);
    }
  });
});

describe("the source over arrays", () => {
  test("hands everything out once, in order, in batches, and then ends", async () => {
    const source = arraySource(records.slice(0, 5), 2);
    source.push(records.slice(5, 6));
    source.end();
    const sizes: number[] = [];
    const offsets: string[] = [];
    for (let batches = await source.next(never); batches !== null; batches = await source.next(never)) {
      sizes.push(...batches.map((batch) => batch.records.length));
      offsets.push(...batches.map((batch) => batch.nextOffset));
    }
    expect(sizes).toEqual([2, 2, 2]);
    expect(offsets).toEqual(["2", "4", "6"]);
  });

  test("waits for what is pushed, and stops waiting at an abort", async () => {
    const source = arraySource([], 10);
    const stop = new AbortController();
    const first = source.next(stop.signal);
    source.push(records.slice(0, 3));
    expect((await first)?.[0]?.records).toHaveLength(3);
    const second = source.next(stop.signal);
    stop.abort();
    expect(await second).toBeNull();
  });
});

describe("the update stream over an array", () => {
  const update = (revision: number): Update => {
    const customer = { ...newCustomer("1"), revision };
    const { freshness } = customer;
    return { customerId: "1", revision, changed: [], segments: [], offers: [], freshness, customer };
  };

  test("gives all later entries in order, or a gap once they are gone", async () => {
    const updates = arrayUpdates();
    const start = await updates.tail();
    await updates.publish([update(1), update(2), update(3)]);
    const read = await updates.read(start, { limit: 2, signal: never });
    expect(read.kind === "entries" && read.entries.map((entry) => entry.update.revision)).toEqual([1, 2]);
    await updates.publish(Array.from({ length: 50_000 }, (_, index) => update(index + 4)));
    expect((await updates.read(start, { limit: 2, signal: never })).kind).toBe("gap");
    const tail = await updates.tail();
    expect(updates.compare(tail, "50003")).toBe(0);
    await updates.publish([update(50_004)]);
    const last = await updates.read(tail, { limit: 2, signal: never });
    expect(last.kind === "entries" && last.entries.map((entry) => entry.update.revision)).toEqual([50_004]);
  });
});
