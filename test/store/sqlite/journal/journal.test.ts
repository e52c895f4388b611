import { expect, test } from "vitest";
import { newCustomer } from "../../../../src/customer/customer.ts";
import type { Customer, Page } from "../../../../src/customer/customer.ts";
import { readSqlite } from "../../../../src/embedded/database.ts";
import { EMPTY_SAVE } from "../../../../src/store/store.ts";
import { announcement, newPage, next, pageChange, row, saving, SHAPES } from "../../../contract/shapes.ts";
import { openedStores, type Opened } from "../opened.ts";

const { path, start } = openedStores();

/** How many saves are in the journal, and how many customers in the tables. */
const stored = (): { readonly journal: number; readonly customers: number } =>
  readSqlite(path(), "STORE_UNAVAILABLE", (db) => {
    const count = (table: string) => db.prepare(`SELECT count(*) FROM ${table}`).get<[number]>()?.[0] ?? 0;
    return { journal: count("journal"), customers: count("customers") };
  });

/** Many customers, saved one after the other, each as many times as there are rounds, always with a row more on its page. */
async function saveMany(store: Opened, count: number, rounds: number) {
  const customers = new Map<string, Customer>();
  const pages = new Map<string, Page>();
  for (let round = 1; round <= rounds; round += 1)
    for (let number = 0; number < count; number += 1) {
      const id = `c${number}`;
      const before = customers.get(id) ?? newCustomer(id);
      const page = pages.get(id) ?? newPage(id, "2024-05");
      const change = pageChange(page, { [`["${id}/${round}"]`]: row(String(round), { amount: "1.50" }) });
      const { revision, totals, liveRows } = change.after;
      const after = next(before, {
        tables: { accounts: { [`["${id}"]`]: row(String(round)) } },
        notes: { payments: { "2024-05": { revision, totals, liveRows } } },
        metrics: { visits: round },
      });
      const { conflicts } = await store.save({
        ...EMPTY_SAVE,
        customers: [saving(before, after, { pages: [change] })],
      });
      expect([...conflicts]).toEqual([]);
      customers.set(id, after);
      pages.set(id, change.after);
    }
  return { customers, pages };
}

async function expectAll(store: Opened, { customers, pages }: Awaited<ReturnType<typeof saveMany>>) {
  const ids = [...customers.keys()];
  const loaded = await store.load({
    customers: ids,
    pages: ids.map((customerId) => ({
      ...{ customerId, table: "payments", page: "2024-05" },
      keys: "all" as const,
    })),
    keys: { accounts: ids.map((id) => `["${id}"]`), payments: ids.map((id) => `["${id}/1"]`) },
  });
  expect(loaded.customers).toEqual(customers);
  expect(loaded.pages).toEqual([...pages.values()].map((page) => ({ ...page, whole: true })));
  expect(loaded.places.map(({ customerId, page }) => [customerId, page]).sort()).toEqual(
    ids
      .flatMap((id) => [
        [id, "2024-05"],
        [id, null],
      ])
      .sort(),
  );
}

test("what is saved goes through the journal into the tables, and is found on either side and by everybody", async () => {
  const store = start();
  const saved = await saveMany(store, 150, 5);
  const { journal, customers } = stored();
  expect(journal).toBeGreaterThan(0);
  expect(journal).toBeLessThan(600);
  expect(customers).toBe(150);
  await expectAll(store, saved);
  await expectAll(start(), saved);
  expect(stored().journal).toBe(journal);
  expect((await store.counts()).customers).toBe(150);
  expect(stored()).toEqual({ journal: 0, customers: 150 });
  await expectAll(store, saved);
  await expectAll(start(), saved);
});

test("what many saves carry at once is in the tables once the source has nothing more", async () => {
  const store = start();
  await saveMany(store, 3, 2);
  expect(stored()).toEqual({ journal: 6, customers: 0 });
  await store.save({ ...EMPTY_SAVE, checkpoints: [{ topic: "t", partition: 0, nextOffset: "1" }] });
  expect(stored()).toEqual({ journal: 0, customers: 3 });
});

test("what is pending is in the tables when nothing was saved between two looks", async () => {
  const store = start();
  await store.outstanding(0, 10);
  await saveMany(store, 3, 1);
  await store.outstanding(0, 10);
  expect(stored()).toEqual({ journal: 3, customers: 0 });
  await store.outstanding(0, 10);
  expect(stored()).toEqual({ journal: 0, customers: 3 });
});

test("a customer is due, or left to the relay, from the moment it is saved, also for another connection", async () => {
  const [store, other] = [start(), start()];
  const due = next(newCustomer("ann"), { dueMs: 5 });
  const told = next(newCustomer("bob"), { outbox: [announcement("bob", 1)] });
  await store.save({
    ...EMPTY_SAVE,
    customers: [saving(newCustomer("ann"), due), saving(newCustomer("bob"), told, { relay: true })],
  });
  expect(await store.outstanding(4, 10)).toEqual({ due: [], unpublished: ["bob"] });
  expect(await other.outstanding(5, 10)).toEqual({ due: ["ann"], unpublished: ["bob"] });
  await store.save({ ...EMPTY_SAVE, customers: [saving(due, next(due, { dueMs: null }))] });
  await other.save({ ...EMPTY_SAVE, confirms: [{ customerId: "bob", revision: 1 }] });
  expect(await store.outstanding(5, 10)).toEqual({ due: [], unpublished: [] });
});

test("who held a live row once stays listed, although no version in the tables shows it", async () => {
  const store = start();
  const before = newCustomer("ann");
  const holding = next(before, { tables: { accounts: { '["1"]': row("1") } } });
  const empty = next(holding, { tables: { accounts: { '["1"]': row("2", {}, false) } } });
  await store.save({ ...EMPTY_SAVE, customers: [saving(before, holding)] });
  await store.save({ ...EMPTY_SAVE, customers: [saving(holding, empty)] });
  const changed = { ...SHAPES, metrics: SHAPES.metrics.slice(1) };
  const other = start(changed);
  for (const each of [other, store]) expect(await each.countCustomers(null)).toBe(1);
});

test("a row that the tables have and the journal says is gone is gone, from its page, its document and its places", async () => {
  const store = start();
  const change = pageChange(newPage("ann", "2024-05"), { '["1"]': row("1"), '["2"]': row("2") });
  const rows = { '["7"]': row("1"), '["8"]': row("1") };
  const ann = next(newCustomer("ann"), { tables: { accounts: rows } });
  await store.save({ ...EMPTY_SAVE, customers: [saving(newCustomer("ann"), ann, { pages: [change] })] });
  expect(await store.everyone(null, 1)).toEqual(["ann"]);
  const before: Page = { ...change.after, whole: true };
  const after = { ...before, revision: 2, rows: { '["2"]': row("2") }, liveRows: 1 };
  const left = next(ann, { tables: { accounts: { '["8"]': row("1") } } });
  const pages = [{ before, after, rows: {} }];
  await store.save({ ...EMPTY_SAVE, customers: [saving(ann, left, { pages })] });
  for (const each of [store, start()]) {
    const ref = { customerId: "ann", table: "payments", page: "2024-05" };
    const keys = { payments: ['["1"]', '["2"]'], accounts: ['["7"]', '["8"]'] };
    const asked = [
      { ...ref, keys: "all" as const },
      { ...ref, keys: keys.payments },
    ];
    const loaded = await each.load({ customers: [], pages: asked, keys });
    expect(loaded.pages.map((page) => Object.keys(page.rows))).toEqual([['["2"]'], ['["2"]']]);
    expect(loaded.places.map(({ key }) => key)).toEqual(['["2"]', '["8"]']);
  }
});
