import { expect, test } from "vitest";
import { EMPTY_SAVE } from "../../../src/store/store.ts";
import type { CustomerSave } from "../../../src/store/store.ts";
import { next, pageChange, row, saving } from "../../contract/shapes.ts";
import { openedStores, type Opened } from "./opened.ts";

const { start } = openedStores();

const REF = { customerId: "ann", table: "payments", page: "2024-05" };

/** One more row on the page of one customer, computed from what this store loads. */
async function step(store: Opened): Promise<CustomerSave> {
  const { customers, pages } = await store.load({
    customers: ["ann"],
    pages: [{ ...REF, keys: [] }],
    keys: {},
  });
  const [[before], [page]] = [[...customers.values()], pages];
  if (before === undefined || page === undefined) throw new Error("no answer");
  const revision = before.revision + 1;
  const after = next(before, { tables: { accounts: { '["1"]': row(String(revision)) } } });
  return saving(before, after, { pages: [pageChange(page, { [`["${revision}"]`]: row(String(revision)) })] });
}

const save = async (store: Opened, customer: CustomerSave) =>
  (await store.save({ ...EMPTY_SAVE, customers: [customer] })).conflicts;

test("what another connection saved in between is a conflict, and found by the next load, customer and page alike", async () => {
  const [one, other] = [start(), start()];
  expect([...(await save(one, await step(one)))]).toEqual([]);
  const stale = await step(one);
  expect([...(await save(other, await step(other)))]).toEqual([]);
  expect([...(await save(one, stale))]).toEqual(["ann"]);
  const again = await step(one);
  expect([again.before.revision, again.pages[0]?.before.revision]).toEqual([2, 2]);
  expect([...(await save(one, again))]).toEqual([]);
  const later = await step(other);
  expect([later.before.revision, later.pages[0]?.before.revision]).toEqual([3, 3]);
});

test("a page that another connection moved ahead is a conflict although its customer is as it was", async () => {
  const [one, other] = [start(), start()];
  await save(one, await step(one));
  const stale = await step(one);
  const ahead = await step(other);
  await save(other, { ...ahead, after: ahead.before });
  expect([...(await save(one, stale))]).toEqual(["ann"]);
  expect([...(await save(one, await step(one)))]).toEqual([]);
});

test("a save that was undone has happened to nothing that is known", async () => {
  const store = start();
  await save(store, await step(store));
  const good = await step(store);
  const unreadable = { get: (): number => JSON.parse("no") as number };
  const freshness = Object.defineProperty({ ...good.after.freshness }, "appliedMs", unreadable);
  await expect(save(store, { ...good, after: { ...good.after, freshness } })).rejects.toThrow("JSON");
  expect([...(await save(store, good))]).toEqual([]);
  const again = await step(store);
  expect([again.before.revision, again.pages[0]?.before.revision]).toEqual([2, 2]);
  expect((await store.counts()).customers).toBe(1);
});
