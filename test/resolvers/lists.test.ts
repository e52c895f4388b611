import { expect, test } from "vitest";
import { customer, customers } from "../../src/resolvers/customers.ts";
import { loadCustomer } from "../../src/resolvers/loading.ts";
import { customerOfOffer, knownOffers, offers, offersOf } from "../../src/resolvers/offers.ts";
import * as pipeline from "../../src/resolvers/pipeline.ts";
import { oneRow, rows } from "../../src/resolvers/rows.ts";
import {
  memberCounts,
  members,
  membershipOf,
  membershipsOf,
  segment,
  tiersOf,
} from "../../src/resolvers/segments.ts";
import type { Context } from "../../src/resolvers/context.ts";
import { bankContext, customerOf, row } from "./bank.ts";

const table = (context: Context, name: string) => {
  const found = context.plan.tables.find((each) => each.name === name);
  if (!found) throw new Error(name);
  return found;
};

test("customers asked for in one turn cost one read, and nothing is remembered after it", async () => {
  const context = bankContext(3);
  const found = await Promise.all(
    ["001", "002", "001", "nobody"].map((id) => loadCustomer(context.reads, id)),
  );
  expect(found.map((each) => each?.customerId ?? null)).toEqual(["001", "002", "001", null]);
  expect(context.reads.calls).toEqual(["customers 3"]);
  await loadCustomer(context.reads, "001");
  expect(context.reads.calls).toEqual(["customers 3", "customers 1"]);
});

test("rows without an owner are nobody's to see", async () => {
  expect(await customer(bankContext(1), "")).toBeNull();
});

test("a list of customers comes with a cursor to follow it from, bound to its filter", async () => {
  const context = bankContext(3);
  const filter = { kind: "segment", segment: "bigBalance", in: ["IN"] } as const;
  const list = await customers(context, {
    filter,
    orderBy: { field: { kind: "id" }, direction: "asc" },
    first: 1,
  });
  expect(list.edges.map(({ node }) => node.customerId)).toEqual(["000"]);
  expect(list.hasNext).toBe(true);
  expect(await list.total?.()).toBe(2);
  const watch = { field: "customersUpdates", filter } as const;
  expect(context.cursors.open(list.liveCursor, context.viewer.scope, watch)).toMatchObject({
    watch,
    page: null,
  });
});

test("rows of an inline table come newest position first, from the document alone", async () => {
  const context = bankContext(1);
  const page = await rows(context, customerOf(0), { table: table(context, "bank_accounts"), args: {} });
  expect(page.edges.map(({ node }) => node.row.at)).toEqual(["3", "2", "1"]);
  expect(context.reads.calls).toEqual([]);
  expect(await page.total?.()).toBe(3);
});

test("rows of a paged table come from the store, counted by the document's notes", async () => {
  const context = bankContext(1);
  const page = await rows(context, customerOf(0), {
    table: table(context, "card_transactions"),
    args: { first: 2 },
  });
  expect(page.edges.map(({ node }) => node.key)).toEqual(["a", "b"]);
  expect(page.hasNext).toBe(true);
  expect(await page.total?.()).toBe(3);
});

test("of several rows where one is expected the newest is shown", () => {
  const tables = { register: { a: row("1", {}), b: row("2", {}), c: { ...row("3", {}), live: false } } };
  expect(oneRow({ ...customerOf(0), tables }, "register")?.key).toBe("b");
  expect(oneRow({ ...customerOf(0), tables: {} }, "register")).toBeNull();
});

test("memberships come in file order, and only those in the states asked for", () => {
  const context = bankContext(1);
  const keys = (states: readonly ("IN" | "OUT")[] | null) =>
    membershipsOf(context, customerOf(1), states).map((each) => each.segment);
  expect(keys(null)).toEqual(["engagement", "bigBalance"]);
  expect(keys(["OUT"])).toEqual(["bigBalance"]);
  expect(keys([])).toEqual([]);
  expect(membershipOf(context, { ...customerOf(1), segments: {} }, "engagement")).toBeNull();
});

test("an unknown segment or offer is an error that lists those there are", () => {
  const context = bankContext(1);
  expect(() => segment(context, "nope")).toThrow(
    'There is no segment "nope"; there are: engagement, bigBalance.',
  );
  expect(() => knownOffers(context, ["presale", "nope"])).toThrow(
    'There is no offer "nope"; there are: presale, mortgage.',
  );
});

test("every tier is counted, the empty ones too", async () => {
  const context = bankContext(4);
  expect(await memberCounts(context, segment(context, "engagement"))).toEqual([
    { tier: "LOW", customers: 0 },
    { tier: "HIGH", customers: 1 },
  ]);
  expect(tiersOf(segment(context, "bigBalance"))).toEqual(["IN"]);
});

test("members of a plain segment are those who are in it; of a tiered one, of all tiers or one", async () => {
  const context = bankContext(4);
  const ids = async (key: string, tier: string | null) =>
    (await members(context, segment(context, key), { tier })).edges.map(
      ({ node }) => node.customer.customerId,
    );
  expect(await ids("bigBalance", null)).toEqual(["000", "002"]);
  expect(await ids("engagement", null)).toEqual(["000", "001", "002", "003"]);
  expect(await ids("engagement", "LOW")).toEqual(["001", "003"]);
});

test("offers of a customer come newest trigger first", () => {
  const keys = (states: readonly "EXPIRED"[] | null) =>
    offersOf(customerOf(0), { states }).edges.map(({ node }) => node.offer);
  expect(keys(null)).toEqual(["presale", "mortgage"]);
  expect(keys(["EXPIRED"])).toEqual(["mortgage"]);
});

test("the customers of a page of offers cost one read", async () => {
  const context = bankContext(4);
  const page = await offers(context, {});
  const owners = await Promise.all(page.edges.map(({ node }) => customerOfOffer(context, node)));
  expect(owners).toHaveLength(6);
  expect(context.reads.calls).toEqual(["listOffers", "customers 4"]);
});

test("the pipeline says what became of its records", async () => {
  const context = bankContext(2);
  const register = table(context, "register");
  expect(await pipeline.rules(context, register)).toEqual([
    { name: "name_present", action: "warn", violations: 3 },
  ]);
  expect(await pipeline.quarantinedOf(context, "register")).toBe(5);
  expect(await pipeline.quarantinedOf(context, "bank_accounts")).toBe(0);
  expect(await pipeline.lag(context)).toBeNull();
  expect(await pipeline.checkpoints(context)).toBeNull();
});

test("a table's lag is that of its topics, exact beyond what a number holds", async () => {
  const behind = ["9007199254740993", "1"].map((text, partition) => ({
    topic: "register",
    partition,
    behind: text,
  }));
  const ingest = { lag: async () => behind, checkpoints: async () => [] };
  const context = { ...bankContext(1), ingest };
  expect(await pipeline.lagOf(context, table(context, "register"))).toBe("9007199254740994");
  expect(await pipeline.lagOf(context, table(context, "bank_accounts"))).toBeNull();
});
