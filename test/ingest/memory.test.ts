import { expect, test } from "vitest";
import { newCustomer, type Customer } from "../../src/customer/customer.ts";
import { createConfirms } from "../../src/ingest/remembered/confirms.ts";
import { createDocuments } from "../../src/ingest/remembered/documents.ts";
import { createPublished, updatesOf } from "../../src/ingest/remembered/published.ts";
import { merge } from "../../src/ingest/receive.ts";
import type { SourceBatch } from "../../src/ingest/source.ts";
import { createTallies } from "../../src/ingest/remembered/tallies.ts";

const freshness = { sourceMs: null, ingestedMs: null, appliedMs: 1 };

function customer(customerId: string, ...revisions: readonly number[]): Customer {
  const outbox = revisions.map((revision) => ({
    customerId,
    revision,
    changed: [],
    segments: [],
    offers: [],
    freshness,
  }));
  return { ...newCustomer(customerId), revision: revisions.at(-1) ?? 0, outbox };
}

test("the documents used last are kept, within the number and the bytes allowed", () => {
  const documents = createDocuments({ count: 2, bytes: 1_000_000 });
  for (const id of ["a", "b"]) documents.keep(customer(id));
  documents.find("a");
  documents.keep(customer("c"));
  expect(["a", "b", "c"].map((id) => documents.find(id)?.customerId)).toEqual(["a", undefined, "c"]);
  documents.forget("a");
  expect(documents.find("a")).toBeUndefined();
  const row = { at: "1", live: true, values: {}, origin: { topic: "t", partition: 0, offset: "0" } };
  const large = {
    ...customer("d"),
    tables: { t: Object.fromEntries(Array.from({ length: 2_000 }, (_, at) => [at, row])) },
  };
  documents.keep(large);
  expect(documents.find("d")).toBeUndefined();
});

test("a document kept again replaces its older version", () => {
  const documents = createDocuments({ count: 2, bytes: 1_000_000 });
  documents.keep(customer("a", 1));
  documents.keep(customer("a", 1, 2));
  expect(documents.find("a")?.revision).toBe(2);
});

test("only announcements not known to be published are missing; what is forgotten is missing again", () => {
  const published = createPublished(1);
  const ann = customer("ann", 3, 4);
  expect(published.missing(ann).map(({ revision }) => revision)).toEqual([3, 4]);
  published.add(updatesOf(ann, ann.outbox.slice(0, 1)));
  expect(published.missing(ann).map(({ revision }) => revision)).toEqual([4]);
  published.add(updatesOf(ann, ann.outbox));
  published.add(updatesOf(ann, ann.outbox.slice(0, 1)));
  expect(published.missing(ann)).toEqual([]);
  published.add(updatesOf(customer("bob", 1), customer("bob", 1).outbox));
  expect(published.missing(ann)).toHaveLength(2);
});

test("confirmations name the newest published revision of each customer, once", () => {
  const confirms = createConfirms();
  const ann = customer("ann", 3, 4);
  confirms.add(updatesOf(ann, ann.outbox));
  expect(confirms.take()).toEqual([{ customerId: "ann", revision: 4 }]);
  expect([confirms.isEmpty(), confirms.take()]).toEqual([true, []]);
});

test("counts are handed over once, and what was taken back leaves nothing", () => {
  const tallies = createTallies();
  const late = { table: "t", kind: "verdict", label: "late" } as const;
  tallies.add(late);
  tallies.add(late);
  tallies.add({ table: "t", kind: "rule", label: "warn:x" }, 3);
  tallies.add({ table: "t", kind: "rule", label: "warn:x" }, -3);
  expect(tallies.take()).toEqual([{ ...late, count: 2 }]);
  expect([tallies.isEmpty(), tallies.take()]).toEqual([true, []]);
});

test("batches are put together up to the bytes allowed, in their order, none left out", () => {
  const batch = (offset: number, bytes: number): SourceBatch => ({
    topic: "t",
    partition: 0,
    records: [],
    nextOffset: String(offset),
    bytes,
  });
  const batches = [batch(1, 40), batch(2, 70), batch(3, 20), batch(4, 500), batch(5, 1)];
  expect(merge(batches, 100).map((part) => part.map(({ nextOffset }) => nextOffset))).toEqual([
    ["1"],
    ["2", "3"],
    ["4"],
    ["5"],
  ]);
  expect(merge([], 100)).toEqual([]);
});
