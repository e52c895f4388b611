import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { SourceRecord } from "../../src/cdc/change.ts";
import { canonical } from "../../src/customer/values/canonical.ts";
import { systemClock } from "../../src/clock.ts";
import type { Customer } from "../../src/customer/customer.ts";
import { sqliteStore } from "../../src/store/sqlite/store.ts";
import type { Store } from "../../src/store/store.ts";
import { localUpdates } from "../../src/updates/local/updates.ts";
import { memorySource } from "../helpers/memory-source.ts";
import { arrivals, histories } from "./moves.ts";
import { documents, ingest, line, record, run, runs, world } from "./world.ts";

/** The canonical documents of a store that is only known by its port. */
async function documentsIn(store: Store, ids: readonly string[]): Promise<Readonly<Record<string, string>>> {
  const { customers } = await store.load({ customers: ids, pages: [], keys: {} });
  const found: Record<string, string> = {};
  for (const [id, customer] of customers) {
    const { pages } = await store.load({ customers: [], pages: pagesOf(customer), keys: {} });
    found[id] = canonical(customer, pages);
  }
  return found;
}

const pagesOf = ({ customerId, notes }: Customer) =>
  Object.entries(notes).flatMap(([table, pages]) =>
    Object.keys(pages).map((page) => ({ customerId, table, page, keys: "all" as const })),
  );

/** Runs records through SQLite in two lives, the second of which gets everything again. */
async function embedded(records: readonly SourceRecord[], batchSize: number, ids: readonly string[]) {
  const dir = await mkdtemp(join(tmpdir(), "customer360-embedded-"));
  const path = join(dir, "data.db");
  try {
    for (const part of [records.slice(0, records.length >> 1), records]) {
      const store = sqliteStore({ path, plan: world });
      const updates = localUpdates({ path, clock: systemClock });
      await run({ store, updates, source: memorySource({ records: part }, { batchSize }) });
      await updates.close();
      await store.close();
    }
    const store = sqliteStore({ path, plan: world });
    const found = await documentsIn(store, ids);
    await store.close();
    return found;
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

test("the embedded store ends in the very documents the store in memory ends in", async () => {
  await fc.assert(
    fc.asyncProperty(
      histories({ ties: false }).chain((history) => fc.tuple(fc.constant(history), arrivals(history))),
      fc.integer({ min: 1, max: 5 }),
      async ([{ records }, arrived], batchSize) => {
        const expected = documents(await ingest(records, { batchSize: 1 }));
        const numbered = arrived.map((one, at) => ({ ...one, offset: String(at) }));
        expect(await embedded(numbered, batchSize, Object.keys(expected))).toEqual(expected);
      },
    ),
    { numRuns: runs(40) },
  );
}, 120_000);

test("truncates sweep the embedded store", async () => {
  const payment = (id: number, lsn: number, customer: string) =>
    record(
      {
        table: "payments",
        op: "u",
        lsn,
        row: { id, customer_id: customer, amount: id, posted_on: 19_723 + lsn * 20, note: "n" },
      },
      lsn,
    );
  const records = [
    payment(1, 1, "ann"),
    payment(2, 2, "bob"),
    payment(3, 3, "ann"),
    record({ table: "payments", op: "t", lsn: 4, row: {} }, 4),
    payment(4, 5, "ann"),
    line("bob", 2, 0),
  ];
  for (const batchSize of [1, 2, 10]) {
    const expected = documents(await ingest(records, { batchSize: 1 }));
    expect(await embedded(records, batchSize, ["ann", "bob"])).toEqual(expected);
  }
});
