import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Customer } from "../../src/customer/customer.ts";
import { sqliteStore } from "../../src/store/sqlite/store.ts";
import { openSqlite } from "../../src/embedded/database.ts";
import { EMPTY_SAVE } from "../../src/store/store.ts";
import { newPage, next, pageChange, row, saving, SHAPES } from "../contract/shapes.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "customer360-older-"));
});
afterEach(() => rm(folder, { recursive: true }));

const start = () => sqliteStore({ path: join(folder, "store.db"), plan: SHAPES });

async function loadAnn(store: ReturnType<typeof start>): Promise<Customer> {
  const { customers } = await store.load({ customers: ["ann"], pages: [], keys: {} });
  const ann = customers.get("ann");
  if (ann === undefined) throw new Error("no answer");
  return ann;
}

test("a file of version 2 goes on: its documents, which are text there, are read, changed and listed", async () => {
  const first = start();
  const before = await loadAnn(first);
  const after = next(before, { tables: { profile: { a: row("1", { name: "Łucja ü 🏦" }) } } });
  const change = pageChange(newPage("ann", "2024-05"), { '["1"]': row("1") });
  await first.save({ ...EMPTY_SAVE, customers: [saving(before, after, { pages: [change] })] });
  const stored = await loadAnn(first);
  await first.close();

  const old = openSqlite({
    ...{ path: join(folder, "store.db"), sync: "checkpoint", version: 99, code: "STORE_UNAVAILABLE" },
    schema: `UPDATE customers SET body = CAST(body AS TEXT); DROP TABLE saves;
      CREATE INDEX pages_live ON pages (tbl, customer_id) WHERE live_rows > 0`,
  });
  expect(old.prepare("SELECT typeof(body) FROM customers").get()).toEqual(["text"]);
  old.exec("PRAGMA user_version = 2");
  old.close();

  const store = start();
  expect(await loadAnn(store)).toEqual(stored);
  expect((await store.customers(["ann"]))[0]?.tables).toEqual(after.tables);
  expect(await store.holders("payments", null, 10)).toEqual(["ann"]);
  const changed = next(stored, { tables: { profile: { a: row("2", { name: "Łucja" }) } } });
  const { conflicts } = await store.save({ ...EMPTY_SAVE, customers: [saving(stored, changed)] });
  expect([...conflicts]).toEqual([]);
  expect((await loadAnn(store)).tables).toEqual(changed.tables);
  expect(await store.countCustomers(null)).toBe(1);
  await store.close();
});
