import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { SourceRecord } from "../../src/cdc/change.ts";
import { codeOf } from "../../src/errors.ts";
import { compareText, compareValues } from "../../src/customer/values/compare.ts";
import type { Customer, OfferState } from "../../src/customer/customer.ts";
import { newCustomer, NOBODY } from "../../src/customer/customer.ts";
import type { CustomerFilter } from "../../src/customer/values/filter.ts";
import { matches, valueOf } from "../../src/customer/values/filter.ts";
import type { Plan } from "../../src/customer/plan.ts";
import { EXCERPT_BYTES } from "../../src/store/reads.ts";
import type { CustomerQuery, Listing, Reads } from "../../src/store/reads.ts";
import type { Quarantined, Store, Tally } from "../../src/store/store.ts";
import { EMPTY_SAVE } from "../../src/store/store.ts";
import { documents, filters, orders } from "./documents.ts";
import { announcement, customer, newPage, next, pageChange, row, saving, SHAPES, write } from "./shapes.ts";

/** A store with its reads, open for one test. */
export interface OpenReads {
  readonly store: Store & Reads;
  /** Closes the store and opens what it left behind, for a pipeline. */
  readonly reopen: (plan?: Plan) => Promise<Store & Reads>;
  readonly dispose: () => Promise<void>;
}

const BY_ID: CustomerQuery["orderBy"] = { field: { kind: "id" }, direction: "asc" };
const ids = (listing: Listing<Customer>) => listing.items.map(({ item }) => item.customerId);

/** Everything of a list, read in pages of `first`. */
async function walk<T>(read: (after: string | null) => Promise<Listing<T>>): Promise<T[]> {
  const all: T[] = [];
  let after: string | null = null;
  for (;;) {
    const listing: Listing<T> = await read(after);
    all.push(...listing.items.map(({ item }) => item));
    after = listing.items.at(-1)?.cursor ?? null;
    if (!listing.hasNext) return all;
  }
}

/** The order a list promises: by value, what has none or compares with nothing last, ties by id. */
function inOrder({ field, direction }: CustomerQuery["orderBy"]): (a: Customer, b: Customer) => number {
  const sign = direction === "asc" ? 1 : -1;
  if (field.kind === "id") return (a, b) => sign * compareText(a.customerId, b.customerId);
  return (a, b) => {
    const [x, y] = [valueOf(field, a), valueOf(field, b)];
    const [hasX, hasY] = [x, y].map((value) => compareValues(value, value, field.as) === 0);
    if (hasX !== hasY) return hasX === true ? -1 : 1;
    return (
      sign * ((hasX === true ? compareValues(x, y, field.as) : 0) ?? 0) ||
      compareText(a.customerId, b.customerId)
    );
  };
}

/** The laws of the Reads port. Every adapter passes them unchanged; a slow one in fewer `runs` of each property. */
export function readsContract(name: string, open: (plan: Plan) => Promise<OpenReads>, runs = 12): void {
  describe(`${name} keeps the promises of the reads:`, () => {
    let opened: OpenReads;
    let store: Store & Reads;
    beforeEach(async () => {
      opened = await open(SHAPES);
      store = opened.store;
    });
    afterEach(() => opened.dispose());

    const put = async (before: Customer, after: Customer) => {
      expect((await store.save(write(saving(before, after)))).conflicts.size).toBe(0);
      return after;
    };
    const add = (after: Customer) => put(newCustomer(after.customerId), after);
    const holding = (id: string, parts: Partial<Customer> = {}) =>
      customer(id, { tables: { accounts: { '["1"]': row("1") } }, ...parts });
    const list = (query: Partial<CustomerQuery> = {}) =>
      store.listCustomers({ filter: null, orderBy: BY_ID, first: 10, after: null, ...query });

    test("documents are answered in the order asked, null where there is none, and as last saved", async () => {
      const ann = await add(holding("ann"));
      const bob = await add(holding("bob"));
      const found = await store.customers(["bob", "nobody", "ann", "bob", NOBODY]);
      expect(found).toEqual([bob, null, ann, bob, null]);
      const later = await put(ann, next(ann, { metrics: { visits: 2 } }));
      expect(await store.customers(["ann"])).toEqual([later]);
    });

    test("a document is read without its outbox, and of its pages tells the number of live rows", async () => {
      const change = pageChange(newPage("ann", "2024-05"), { a: row("1"), b: row("2", {}, false) });
      const other = pageChange(newPage("ann", "2024-06"), { c: row("3") });
      const note = ({ revision, totals, liveRows }: typeof change.after) => ({ revision, totals, liveRows });
      const ann = customer("ann", {
        notes: { payments: { "2024-05": note(change.after), "2024-06": note(other.after) } },
        outbox: [announcement("ann", 1)],
      });
      await store.save(write(saving(newCustomer("ann"), ann, { pages: [change, other] })));
      const [read] = await store.customers(["ann"]);
      expect({ ...read, notes: {} }).toEqual({ ...ann, notes: {}, outbox: [] });
      const counts = Object.values(read?.notes["payments"] ?? {}).map(({ liveRows }) => liveRows);
      expect(counts.reduce((sum, count) => sum + count, 0)).toBe(2);
      expect(ids(await list())).toEqual(["ann"]);
    });

    test("customers are listed from the first save that shows a live row, for good; NOBODY never is", async () => {
      const dead = { accounts: { '["1"]': row("1", {}, false) } };
      const ann = await add(customer("ann", { tables: dead }));
      const bob = await add(holding("bob"));
      await add({ ...holding("x"), customerId: NOBODY });
      await add(customer("cid"));
      expect(ids(await list())).toEqual(["bob"]);
      await put(bob, next(bob, { tables: dead }));
      await put(ann, next(ann, { tables: { accounts: { '["1"]': row("2") } } }));
      expect(ids(await list())).toEqual(["ann", "bob"]);
      expect(await store.countCustomers(null)).toBe(2);
      expect((await store.counts()).customers).toBe(2);
    });

    test("a filter lists and counts exactly the customers it matches, before and after they change", async () => {
      const names = ["a", "b", "ü", "🏦", "\uffee", "z"];
      const sets = fc.tuple(...names.map(documents));
      const property = fc.asyncProperty(
        sets,
        sets,
        fc.array(filters, { minLength: 30, maxLength: 30 }),
        async (first, second, wanted) => {
          const fresh = await open(SHAPES);
          try {
            const check = async (all: readonly Customer[], filter: CustomerFilter) => {
              const expected = all
                .filter((each) => matches(filter, each))
                .map(({ customerId }) => customerId);
              const listed = ids(
                await fresh.store.listCustomers({ filter, orderBy: BY_ID, first: 10, after: null }),
              );
              expect(listed).toEqual(expected.sort(compareText));
              expect(await fresh.store.countCustomers(filter)).toBe(expected.length);
            };
            await fresh.store.save(write(...first.map((each) => saving(newCustomer(each.customerId), each))));
            for (const filter of wanted) await check(first, filter);
            const changed = second.map((each) => ({ ...each, revision: 2 }));
            await fresh.store.save(
              write(...changed.map((each, index) => saving(first[index] ?? each, each))),
            );
            for (const filter of wanted) await check(changed, filter);
          } finally {
            await fresh.dispose();
          }
        },
      );
      await fc.assert(property, { numRuns: runs });
    });

    test.each(["and", "or"] as const)("a filter of a thousand conditions is answered: %s", async (kind) => {
      await add(holding("ann"));
      await add(holding("bob"));
      const others = Array.from({ length: 999 }, (_, index) => `nobody ${index}`);
      const filters = ["ann", ...others].map((value): CustomerFilter => {
        const same = { kind: "field", field: { kind: "id" }, test: { op: "eq", value } } as const;
        return kind === "or" ? same : { kind: "not", filter: same };
      });
      const filter: CustomerFilter = { kind, filters };
      expect(ids(await list({ filter }))).toEqual(kind === "or" ? ["ann"] : ["bob"]);
      expect(await store.countCustomers(filter)).toBe(1);
    });

    test("any order is by value, nulls and what compares with nothing last, ties by id; pages of any size join without hole or repeat", async () => {
      const names = ["a", "b", "c", "ü", "🏦", "\uffee", "z"];
      const property = fc.asyncProperty(
        fc.tuple(...names.map(documents)),
        fc.array(
          fc.record({ orderBy: orders, first: fc.integer({ min: 1, max: 4 }), filter: fc.option(filters) }),
          { minLength: 25, maxLength: 25 },
        ),
        async (all, queries) => {
          const fresh = await open(SHAPES);
          try {
            await fresh.store.save(write(...all.map((each) => saving(newCustomer(each.customerId), each))));
            for (const query of queries) {
              const { filter, orderBy } = query;
              const expected = all
                .filter((each) => filter === null || matches(filter, each))
                .sort(inOrder(orderBy));
              const walked = await walk((after) => fresh.store.listCustomers({ ...query, after }));
              expect(walked.map(({ customerId }) => customerId)).toEqual(
                expected.map(({ customerId }) => customerId),
              );
            }
          } finally {
            await fresh.dispose();
          }
        },
      );
      await fc.assert(property, { numRuns: runs });
    });

    test("a page begins after the customer its cursor names, even when that one has gone or moved", async () => {
      const orderBy: CustomerQuery["orderBy"] = {
        field: { kind: "metric", name: "visits", as: "number" },
        direction: "desc",
      };
      const visited = ["a", "b", "c", "d"].map((id, index) =>
        holding(id, { metrics: { visits: 10 - index } }),
      );
      for (const each of visited) await add(each);
      const first = await list({ orderBy, first: 2 });
      expect(ids(first)).toEqual(["a", "b"]);
      const b = visited[1] ?? newCustomer("b");
      await put(b, next(b, { metrics: { visits: 99 } }));
      expect(ids(await list({ orderBy, after: first.items[1]?.cursor ?? null }))).toEqual(["c", "d"]);
    });

    test("text that is no cursor of the very list is refused as such", async () => {
      await add(holding("ann"));
      await add(holding("bob"));
      const cursor = (await list({ first: 1 })).items[0]?.cursor ?? "";
      const visits: CustomerQuery["orderBy"] = {
        field: { kind: "metric", name: "visits", as: "number" },
        direction: "asc",
      };
      const refused = async (work: Promise<unknown>) => codeOf(await work.catch((error: unknown) => error));
      for (const after of ["", "x", "!!", Buffer.from("[1]").toString("base64url"), `${cursor}x`.slice(1)]) {
        expect(await refused(list({ after }))).toBe("CURSOR_INVALID");
        expect(
          await refused(store.listOffers({ customerId: null, offers: null, states: null, first: 1, after })),
        ).toBe("CURSOR_INVALID");
        expect(await refused(store.listRows({ customerId: "ann", table: "accounts", first: 1, after }))).toBe(
          "CURSOR_INVALID",
        );
      }
      expect(await refused(list({ after: cursor, orderBy: visits }))).toBe("CURSOR_INVALID");
      expect(await refused(list({ after: cursor, orderBy: { ...BY_ID, direction: "desc" } }))).toBe(
        "CURSOR_INVALID",
      );
    });

    test("live rows are listed newest position first, over all pages of a table and inline alike, in pages without hole or repeat", async () => {
      const property = fc.asyncProperty(
        fc.array(
          fc.record({
            at: fc.integer({ min: 1, max: 30 }),
            page: fc.constantFrom("a", "b", "c"),
            live: fc.boolean(),
          }),
          { minLength: 6, maxLength: 24 },
        ),
        fc.integer({ min: 1, max: 5 }),
        async (specs, first) => {
          const fresh = await open(SHAPES);
          try {
            const rows = specs.map(({ at, page, live }, index) => ({
              page,
              key: `["${index}"]`,
              row: row(String(at).padStart(2, "0"), {}, live),
            }));
            const pick = (page: string | null) =>
              Object.fromEntries(
                rows
                  .filter((each) => page === null || each.page === page)
                  .map((each) => [each.key, each.row]),
              );
            const pages = ["a", "b", "c"].map((page) => pageChange(newPage("ann", page), pick(page)));
            await fresh.store.save(
              write(
                saving(newCustomer("ann"), customer("ann", { tables: { accounts: pick(null) } }), { pages }),
              ),
            );
            const expected = rows
              .filter(({ row: { live } }) => live)
              .sort((x, y) => compareText(y.row.at, x.row.at) || compareText(x.key, y.key))
              .map(({ key }) => key);
            for (const table of ["payments", "accounts"]) {
              const walked = await walk((after) =>
                fresh.store.listRows({ customerId: "ann", table, first, after }),
              );
              expect(walked.map(({ key }) => key)).toEqual(expected);
              for (const listed of walked)
                expect(listed).toMatchObject({ customerId: "ann", table, row: pick(null)[listed.key] });
            }
          } finally {
            await fresh.dispose();
          }
        },
      );
      await fc.assert(property, { numRuns: runs });
    });

    test("nobody's rows are an empty list", async () => {
      for (const table of ["payments", "accounts"])
        expect(await store.listRows({ customerId: "who", table, first: 3, after: null })).toEqual({
          items: [],
          hasNext: false,
        });
    });

    test("offers are listed newest trigger first, by customer, offer and state, and as they last stood", async () => {
      const offer = (state: OfferState["state"], triggeredMs: number): OfferState => ({
        ...{ state, triggeredMs, expiresMs: null, endedMs: null, because: "why" },
      });
      const ann = await add(holding("ann", { offers: { x: offer("TRIGGERED", 5), y: offer("EXPIRED", 7) } }));
      await add(holding("bob", { offers: { x: offer("TRIGGERED", 7), y: offer("WITHDRAWN", 1) } }));
      const every = { customerId: null, offers: null, states: null };
      const names = async (query: Partial<Parameters<Reads["listOffers"]>[0]>, first = 1) =>
        (await walk((after) => store.listOffers({ ...every, first, ...query, after }))).map(
          ({ customerId, offer: key }) => customerId + key,
        );
      expect(await names({})).toEqual(["anny", "bobx", "annx", "boby"]);
      expect(await names({ customerId: "bob" })).toEqual(["bobx", "boby"]);
      expect(await names({ offers: ["x"] })).toEqual(["bobx", "annx"]);
      expect(await names({ states: ["TRIGGERED", "WITHDRAWN"] }, 2)).toEqual(["bobx", "annx", "boby"]);
      expect(await names({ states: [] })).toEqual([]);
      await put(ann, next(ann, { offers: { x: offer("WITHDRAWN", 5) } }));
      expect(await names({ customerId: "ann" })).toEqual(["annx"]);
      const [first] = (await store.listOffers({ ...every, customerId: "ann", first: 5, after: null })).items;
      expect(first?.item).toEqual({ customerId: "ann", offer: "x", state: offer("WITHDRAWN", 5) });
    });

    test("members are counted by tier as they move, whoever is OUT in none", async () => {
      const state = (tier: string | null, membership: "IN" | "OUT" = "IN") => ({
        ...{ state: membership, tier, previousTier: null, enteredMs: 1, because: "" },
      });
      const counts = async () =>
        Object.fromEntries(
          (await store.counts()).members.map(({ segment, tier, customers }) => [
            `${segment} ${tier}`,
            customers,
          ]),
        );
      const ann = await add(holding("ann", { segments: { spending: state("GOLD"), vip: state(null) } }));
      await add(holding("bob", { segments: { spending: state("GOLD"), vip: state(null, "OUT") } }));
      const cid = await add(customer("cid", { segments: { spending: state("GOLD") } }));
      expect(await counts()).toEqual({ "spending GOLD": 2, "vip IN": 1 });
      await put(ann, next(ann, { segments: { spending: state("BASIC"), vip: state(null, "OUT") } }));
      await put(
        cid,
        next(cid, {
          ...holding("cid"),
          revision: 2,
          segments: { spending: state("BASIC"), vip: state(null) },
        }),
      );
      expect(await counts()).toEqual({ "spending GOLD": 1, "spending BASIC": 2, "vip IN": 1 });
      const conflict = saving({ ...ann, revision: 1 }, next(ann, { segments: { spending: state("GOLD") } }));
      await store.save(write(conflict));
      expect(await counts()).toEqual({ "spending GOLD": 1, "spending BASIC": 2, "vip IN": 1 });
    });

    test("tallies add up and quarantined records are counted once, by table and reason", async () => {
      const tally = (count: number): Tally => ({
        table: "accounts",
        kind: "verdict",
        label: "applied",
        count,
      });
      const refused = (offset: string, table: string | null) => ({
        record: {
          topic: "t",
          partition: 0,
          offset,
          timestampMs: 1,
          key: null,
          value: new Uint8Array([1]),
          headers: {},
        },
        ...{ table, refusal: { code: "unreadable" as const, reason: "", rules: [] }, atMs: 1 },
      });
      await store.save({
        ...EMPTY_SAVE,
        tallies: [tally(2), tally(3)],
        quarantine: [refused("1", null), refused("2", "accounts")],
      });
      await store.save({ ...EMPTY_SAVE, tallies: [tally(1)], quarantine: [refused("1", null)] });
      const counts = await store.counts();
      expect(counts.tallies).toEqual([tally(6)]);
      expect(counts.quarantined).toHaveLength(2);
      expect(counts.quarantined).toContainEqual({ table: null, code: "unreadable", count: 1 });
    });

    test("refused records are listed one by one, the last first, with coordinates, reason and the bytes they begin with", async () => {
      const bytes = (length: number) => new Uint8Array(length).fill(255, 1);
      const refused = (offset: number, parts: Partial<SourceRecord> = {}): Quarantined => ({
        record: {
          ...{ topic: "t\u0000", partition: 3, offset: String(offset), timestampMs: 1, headers: {} },
          ...{ key: null, value: bytes(offset), ...parts },
        },
        table: offset % 2 === 0 ? "accounts" : null,
        refusal: { code: "expectation", reason: `violates r${offset}`, rules: [`r${offset}`] },
        atMs: 1_000 + offset,
      });
      const all = [
        refused(0, { key: bytes(2) }),
        ...[1, 2, 3].map((offset) => refused(offset)),
        refused(4, { value: null, key: new Uint8Array() }),
        refused(9_007_199, { value: bytes(EXCERPT_BYTES + 1) }),
      ];
      for (const each of all) await store.save({ ...EMPTY_SAVE, quarantine: [each, ...all.slice(0, 1)] });
      const shown = (part: Uint8Array | null) =>
        part === null ? null : { head: [...part.subarray(0, EXCERPT_BYTES)], bytes: part.length };
      const expected = all.toReversed().map(({ record, table, refusal, atMs }) => {
        const { topic, partition, offset, key, value } = record;
        return {
          ...{ origin: { topic, partition, offset }, table, refusal, atMs },
          ...{ key: shown(key), value: shown(value) },
        };
      });
      for (const first of [1, 4, 10])
        for (const table of [null, "accounts", "nothing"]) {
          const found = await walk((after) => store.listQuarantine({ table, first, after }));
          const plain = found.map(({ key, value, ...rest }) => ({
            ...rest,
            key: key && { ...key, head: [...key.head] },
            value: value && { ...value, head: [...value.head] },
          }));
          expect(plain).toEqual(expected.filter((each) => table === null || each.table === table));
        }
    });

    test("a pipeline with other metrics lists and filters what was stored before it", async () => {
      await add(holding("ann", { metrics: { visits: 3, extra: 5 } }));
      const bob = await add(holding("bob", { metrics: { visits: 1 } }));
      await put(bob, next(bob, { tables: {} }));
      const [metric] = SHAPES.metrics;
      if (metric === undefined) throw new Error("no metric");
      store = await opened.reopen({
        ...SHAPES,
        metrics: [...SHAPES.metrics, { ...metric, name: "extra", type: "int" }],
      });
      const extra: CustomerFilter = {
        kind: "field",
        field: { kind: "metric", name: "extra", as: "number" },
        test: { op: "gt", value: 4 },
      };
      expect(ids(await list({ filter: extra }))).toEqual(["ann"]);
      expect(ids(await list())).toEqual(["ann", "bob"]);
      expect((await store.counts()).customers).toBe(2);
    });
  });
}
