import fc from "fast-check";
import { expect, test } from "vitest";
import type { Change, SourceRecord } from "../../src/cdc/change.ts";
import { createDecoder } from "../../src/cdc/decode.ts";
import { isWhereNamed, route } from "../../src/ingest/route.ts";
import type { Place } from "../../src/store/store.ts";
import { arrivals, histories } from "./moves.ts";
import { documents, ingest, record, runs, type Sent, world } from "./world.ts";

const account = (op: Sent["op"], lsn: number, row: Sent["row"]): SourceRecord =>
  record({ table: "accounts", op, lsn, row: { id: 1, balance: lsn, note: "n", ...row } }, lsn);

async function holders(
  records: readonly SourceRecord[],
  batchSize: number,
): Promise<Readonly<Record<string, number>>> {
  const { store } = await ingest(records, { batchSize });
  return Object.fromEntries(
    [...store.documents]
      .map(([id, { metrics }]) => [id, Number(metrics.balance ?? 0)] as const)
      .filter(([, sum]) => sum > 0),
  );
}

test.each([1, 100])("a row that moves leaves the customer it was with (batches of %i)", async (batchSize) => {
  const moves = [account("c", 1, { customer_id: "a" }), account("u", 2, { customer_id: "b" })];
  expect(await holders(moves, batchSize)).toEqual({ b: 2 });
  expect(await holders([...moves].reverse(), batchSize)).toEqual({ b: 2 });
});

test.each([1, 100])(
  "a delete that names nobody finds its row, before or after the insert (batches of %i)",
  async (batchSize) => {
    const insert = account("c", 1, { customer_id: "a" });
    const gone = record({ table: "accounts", op: "d", lsn: 2, row: { id: 1 } }, 2);
    const again = account("c", 3, { customer_id: "a" });
    expect(await holders([insert, gone], batchSize)).toEqual({});
    expect(await holders([gone, insert], batchSize)).toEqual({});
    expect(await holders([again, gone, insert], batchSize)).toEqual({ a: 3 });
  },
);

test("a change is counted once however many customers hear of it", async () => {
  const { store } = await ingest([
    account("c", 1, { customer_id: "a" }),
    account("u", 2, { customer_id: "b" }),
    record({ table: "accounts", op: "d", lsn: 3, row: { id: 1 } }, 3),
  ]);
  expect(Object.fromEntries(store.tallies)).toEqual({ "accounts verdict applied": 3 });
});

test("an upsert without customer, or a paged one without page, is quarantined with its bytes", async () => {
  const { store } = await ingest([
    account("c", 1, { customer_id: null }),
    record(
      {
        table: "payments",
        op: "c",
        lsn: 2,
        row: { id: 1, customer_id: "a", amount: 1, posted_on: null, note: "" },
      },
      0,
    ),
  ]);
  expect([...store.quarantine.values()].map(({ refusal }) => refusal.code).sort()).toEqual([
    "missing-customer",
    "missing-page",
  ]);
  expect([...store.quarantine.values()].every(({ record: { value } }) => value !== null)).toBe(true);
});

test("rows that wander between customers and pages end in the same documents in any arrival order and batching", async () => {
  await fc.assert(
    fc.asyncProperty(
      histories({ ties: true }).chain((history) => fc.tuple(fc.constant(history), arrivals(history))),
      fc.integer({ min: 1, max: 5 }),
      async ([{ records }, arrived], batchSize) => {
        const inOrder = await ingest(records, { batchSize: 1 });
        const anyOrder = await ingest(arrived, { batchSize });
        expect(documents(anyOrder)).toEqual(documents(inOrder));
      },
    ),
    { numRuns: runs(300) },
  );
});

test("a row is live in at most one place", async () => {
  await fc.assert(
    fc.asyncProperty(histories({ ties: true }).chain(arrivals), async (arrived) => {
      const { store } = await ingest(arrived, { batchSize: 2 });
      const live = [...store.documents.values()].flatMap(({ customerId, tables }) => [
        ...Object.entries(tables).flatMap(([table, rows]) =>
          Object.entries(rows).flatMap(([key, row]) => (row.live ? [`${table} ${key}`] : [])),
        ),
        ...store
          .pagesOf(customerId)
          .flatMap(({ table, rows }) =>
            Object.entries(rows).flatMap(([key, row]) => (row.live ? [`${table} ${key}`] : [])),
          ),
      ]);
      expect(live.length).toBe(new Set(live).size);
    }),
    { numRuns: runs(100) },
  );
});

/** Where some of these changes say their rows are; a few places are another customer's or another page's. */
const placesOf = (changes: readonly Change[]): fc.Arbitrary<readonly Place[]> =>
  fc.subarray([...changes]).chain((some) =>
    fc.tuple(
      ...some.map(({ table, key, customerId, page, position }) =>
        fc.record({
          table: fc.constant(table),
          key: fc.constant(key),
          customerId: fc.oneof(
            { weight: 9, arbitrary: fc.constant(customerId ?? "a") },
            fc.constantFrom("", "c"),
          ),
          page: fc.oneof(
            { weight: 9, arbitrary: fc.constant(page) },
            fc.constant(page === null ? null : "waiting"),
          ),
          at: fc.constantFrom(position, "0"),
          live: fc.boolean(),
        }),
      ),
    ),
  );

test("changes go where they would go without places, as long as rows are where their changes say", () => {
  const tables = new Map(world.tables.map((table) => [table.name, table]));
  const decode = createDecoder(world.tables);
  const found = { asNamed: 0, others: 0 };
  const changes = histories({ ties: true }).map(({ records }) =>
    records.map(decode).flatMap((decoded) => (decoded.kind === "change" ? [decoded.change] : [])),
  );
  fc.assert(
    fc.property(
      changes.chain((all) => fc.tuple(fc.constant(all), placesOf(all))),
      ([all, places]) => {
        const isNamed = isWhereNamed({ changes: all, tables, places });
        found[isNamed ? "asNamed" : "others"] += 1;
        if (isNamed)
          expect(route({ changes: all, tables, places })).toEqual(
            route({ changes: all, tables, places: [] }),
          );
      },
    ),
    { numRuns: runs(1_000) },
  );
  expect(Math.min(found.asNamed, found.others)).toBeGreaterThan(runs(100));
});
