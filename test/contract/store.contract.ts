import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Customer } from "../../src/customer/customer.ts";
import { newCustomer, NOBODY } from "../../src/customer/customer.ts";
import type { Plan } from "../../src/customer/plan.ts";
import type {
  CustomerSave,
  Forgetting,
  LoadRequest,
  PageRequest,
  Place,
  Quarantined,
  Store,
} from "../../src/store/store.ts";
import { EMPTY_SAVE } from "../../src/store/store.ts";
import { HOSTILE_TEXTS, hostileParts, hostileRows } from "./documents.ts";
import { announcement, customer, newPage, next, pageChange, row, saving, SHAPES, write } from "./shapes.ts";

/** A store that is open for one test. */
export interface OpenStore {
  readonly store: Store & Forgetting;
  /** Closes the store and opens what it left behind. */
  readonly reopen: () => Promise<Store & Forgetting>;
  /** How many records are in quarantine. */
  readonly quarantined: () => Promise<number>;
  readonly dispose: () => Promise<void>;
}

/** The laws of the Store port. Every adapter passes them unchanged; `open` gives an empty store each time. */
export function storeContract(name: string, open: (plan: Plan) => Promise<OpenStore>): void {
  describe(`${name} keeps the promises of a store:`, () => {
    let opened: OpenStore;
    let store: Store & Forgetting;
    beforeEach(async () => {
      opened = await open(SHAPES);
      store = opened.store;
    });
    afterEach(() => opened.dispose());

    const load = (request: Partial<LoadRequest>) =>
      store.load({ customers: [], pages: [], keys: {}, ...request });
    const document = async (id: string): Promise<Customer> => {
      const found = (await load({ customers: [id] })).customers.get(id);
      if (found === undefined) throw new Error(`no answer for ${id}`);
      return found;
    };
    const page = async (id: string, name: string, keys: PageRequest["keys"]) => {
      const [found] = (await load({ pages: [{ customerId: id, table: "payments", page: name, keys }] }))
        .pages;
      if (found === undefined) throw new Error(`no answer for ${id} ${name}`);
      return found;
    };
    const places = async (table: string, ...keys: string[]): Promise<readonly Place[]> =>
      [...(await load({ keys: { [table]: keys } })).places].sort((a, b) =>
        a.customerId < b.customerId ? -1 : 1,
      );
    const conflictsOf = async (...parts: readonly CustomerSave[]) => [
      ...(await store.save(write(...parts))).conflicts,
    ];

    describe("documents", () => {
      test("a customer that was never saved is answered as a new one", async () => {
        expect(await document("ann")).toEqual(newCustomer("ann"));
      });

      test("what was saved is loaded again, every part of it, whatever the characters", async () => {
        const id = 'a"b\\ü 🏦 \ud83d\u0000\n';
        const saved = customer(id, {
          tables: {
            profile: { [`["${id}"]`]: row("1", { name: "\ud800 lone", age: 3 }) },
            accounts: { '["1"]': row("2", {}, false) },
          },
          notes: {
            payments: {
              "2024-05": {
                revision: 0,
                totals: { n: { count: 2, sum: "12345678901234567890" } },
                liveRows: 2,
              },
            },
          },
          totals: {
            payments: { n: { count: 2, values: { a: 1 }, latest: { at: "1", key: "k", value: null } } },
          },
          history: { first: "2024-01-01T00:00:00Z" },
          crossings: { o: { below: "1", above: "2" } },
          metrics: { balance: "1.50", active: true, ratio: 0.1, city: null },
          segments: {
            spending: {
              state: "IN",
              tier: "GOLD",
              previousTier: null,
              enteredMs: 1_700_000_000_000,
              because: "x",
            },
          },
          offers: { o: { state: "TRIGGERED", triggeredMs: 5, expiresMs: null, endedMs: null, because: "y" } },
          freshness: { sourceMs: 1, ingestedMs: null, appliedMs: 3 },
          dueMs: 1_700_000_000_123,
          outbox: [announcement(id, 1)],
        });
        expect(await conflictsOf(saving(newCustomer(id), saved))).toEqual([]);
        expect(await document(id)).toEqual(saved);
      });

      test("a change of any single part is stored, and the others stay", async () => {
        const parts: readonly Partial<Customer>[] = [
          { tables: { accounts: { '["1"]': row("1") } } },
          { notes: { payments: { "2024-05": { revision: 3, totals: { n: { count: 1 } }, liveRows: 1 } } } },
          { totals: { payments: { n: { count: 1 } } } },
          { metrics: { visits: 1 } },
          { history: { h: 1 } },
          { dueMs: 7 },
          { outbox: [announcement("ann", 1)] },
          { notes: {}, tables: {}, outbox: [], dueMs: null },
        ];
        let known = newCustomer("ann");
        for (const part of parts) {
          const after = next(known, part);
          expect(await conflictsOf(saving(known, after))).toEqual([]);
          expect(await document("ann")).toEqual(after);
          known = after;
        }
      });

      test("any versions are loaded as they were saved one after the other, whatever payloads put into them", async () => {
        let count = 0;
        const property = fc.asyncProperty(
          fc.constantFrom(...HOSTILE_TEXTS),
          fc.array(hostileParts, { minLength: 1, maxLength: 4 }),
          async (text, versions) => {
            const id = `${text}${(count += 1)}`;
            let known = newCustomer(id);
            for (const version of versions) {
              const after = next(known, version);
              expect(await conflictsOf(saving(known, after))).toEqual([]);
              const found = await document(id);
              expect(found).toEqual(after);
              // What was loaded goes on as well as what was saved.
              known = version.dueMs === null ? after : found;
            }
            for (const key of Object.keys(known.tables["accounts"] ?? {}))
              expect(await places("accounts", key)).toContainEqual({
                ...{ table: "accounts", key, customerId: id, page: null },
                ...{ at: known.tables["accounts"]?.[key]?.at, live: known.tables["accounts"]?.[key]?.live },
              });
          },
        );
        await fc.assert(property, { numRuns: 40 });
        expect(Object.keys(Object.prototype)).toEqual([]);
      });

      test("a save on another revision than the stored one is a conflict and changes nothing", async () => {
        const first = customer("ann", { metrics: { visits: 1 } });
        await store.save(write(saving(newCustomer("ann"), first)));
        expect(
          await conflictsOf(saving(newCustomer("ann"), customer("ann", { metrics: { visits: 2 } }))),
        ).toEqual(["ann"]);
        expect(await conflictsOf(saving({ ...first, revision: 7 }, next(first)))).toEqual(["ann"]);
        expect(
          await conflictsOf(saving({ ...newCustomer("bob"), revision: 1 }, customer("bob", { revision: 2 }))),
        ).toEqual(["bob"]);
        expect(await document("ann")).toEqual(first);
        expect(await document("bob")).toEqual(newCustomer("bob"));
      });

      test("a conflict keeps nobody else from being saved, and what came with the save is stored", async () => {
        const ann = customer("ann");
        await store.save(write(saving(newCustomer("ann"), ann)));
        const saved = await store.save({
          ...write(
            saving(newCustomer("zoe"), customer("zoe")),
            saving(newCustomer("ann"), customer("ann")),
            saving(newCustomer("bob"), customer("bob")),
          ),
          checkpoints: [{ topic: "t", partition: 0, nextOffset: "5" }],
        });
        expect([...saved.conflicts]).toEqual(["ann"]);
        expect((await document("bob")).revision).toBe(1);
        expect((await document("zoe")).revision).toBe(1);
        expect(await store.checkpoints()).toEqual([{ topic: "t", partition: 0, nextOffset: "5" }]);
      });

      test("of writers racing for one customer exactly one wins each revision, and no increment is lost", async () => {
        const increments = 8;
        const writer = async () => {
          for (let done = 0; done < increments;) {
            const before = await document("ann");
            const after = next(before, { metrics: { visits: Number(before.metrics["visits"] ?? 0) + 1 } });
            if ((await conflictsOf(saving(before, after))).length === 0) done += 1;
          }
        };
        await Promise.all(Array.from({ length: 6 }, writer));
        expect(await document("ann")).toMatchObject({
          revision: 6 * increments,
          metrics: { visits: 6 * increments },
        });
      });
    });

    describe("pages", () => {
      const KEYS = { a: '["a"]', b: '["b"]', c: '["c"]' };
      const fill = async () => {
        const change = pageChange(newPage("ann", "2024-05"), {
          [KEYS.a]: row("1"),
          [KEYS.b]: row("2"),
          [KEYS.c]: row("3", {}, false),
        });
        const { revision, totals, liveRows } = change.after;
        const ann = customer("ann", { notes: { payments: { "2024-05": { revision, totals, liveRows } } } });
        await store.save(write(saving(newCustomer("ann"), ann, { pages: [change] })));
        return { ann, change };
      };

      test("a page that was never saved is answered as a new one, empty and at revision 0", async () => {
        expect(await page("ann", "2024-05", [KEYS.a])).toEqual(newPage("ann", "2024-05"));
      });

      test("a page is loaded with its header and exactly the rows asked for", async () => {
        const { change } = await fill();
        const { revision, totals, liveRows, rows } = change.after;
        const part = await page("ann", "2024-05", [KEYS.b, '["nowhere"]']);
        expect(part).toMatchObject({ revision, totals, liveRows, whole: false });
        expect(part.rows).toEqual({ [KEYS.b]: rows[KEYS.b] });
        const whole = await page("ann", "2024-05", "all");
        expect(whole).toEqual({ ...change.after, whole: true });
      });

      test("saving some rows of a page leaves its other rows", async () => {
        const { ann } = await fill();
        const before = await page("ann", "2024-05", [KEYS.a]);
        const rows = { [KEYS.a]: row("9", { amount: "1.00" }) };
        const after = { ...before, revision: 2, rows, totals: { n: { count: 2 } } };
        await store.save(write(saving(ann, next(ann), { pages: [{ before, after, rows }] })));
        expect((await page("ann", "2024-05", "all")).rows).toMatchObject({
          ...rows,
          [KEYS.b]: row("2"),
          [KEYS.c]: row("3", {}, false),
        });
      });

      test("rows that a whole page no longer has are gone, with their places", async () => {
        const { ann } = await fill();
        const before = await page("ann", "2024-05", "all");
        const after = { ...before, revision: 2, rows: { [KEYS.a]: row("1") }, liveRows: 1 };
        await store.save(write(saving(ann, next(ann), { pages: [{ before, after, rows: {} }] })));
        expect((await page("ann", "2024-05", "all")).rows).toEqual({ [KEYS.a]: row("1") });
        expect(await places("payments", KEYS.b)).toEqual([]);
      });

      test("rows of a page are loaded as they were saved, each by its key, whatever payloads put into them", async () => {
        let count = 0;
        const property = fc.asyncProperty(
          fc.constantFrom(...HOSTILE_TEXTS),
          fc.array(hostileRows, { minLength: 1, maxLength: 3 }),
          async (text, batches) => {
            const id = `${text}${(count += 1)}`;
            const nobody = newCustomer(id);
            for (const rows of batches) {
              const change = pageChange(await page(id, "2024-05", "all"), rows);
              expect(await conflictsOf(saving(nobody, nobody, { pages: [change] }))).toEqual([]);
              expect(await page(id, "2024-05", "all")).toEqual({ ...change.after, whole: true });
              for (const [key, { at, live }] of Object.entries(change.after.rows)) {
                expect((await page(id, "2024-05", [key])).rows).toEqual({ [key]: change.after.rows[key] });
                expect(await places("payments", key)).toContainEqual({
                  ...{ table: "payments", key, customerId: id, page: "2024-05", at, live },
                });
              }
            }
          },
        );
        await fc.assert(property, { numRuns: 25 });
      });

      // Its other pages may be: where every document is written by itself, they are ahead then, as after a crash.
      test("a page saved on another revision is a conflict of its customer: neither it nor the document is written", async () => {
        const { ann, change } = await fill();
        const fresh = pageChange(newPage("ann", "2024-06"), { '["d"]': row("4") });
        const stale = pageChange(newPage("ann", "2024-05"), { [KEYS.a]: row("8") });
        const { revision, totals, liveRows } = stale.after;
        const after = next(ann, {
          metrics: { visits: 1 },
          tables: { accounts: { '["1"]': row("1") } },
          notes: { payments: { "2024-05": { revision, totals, liveRows } } },
        });
        const saved = await store.save(
          write(
            saving(newCustomer("bob"), customer("bob")),
            saving(ann, after, { pages: [fresh, stale] }),
            saving(newCustomer("cid"), customer("cid")),
          ),
        );
        expect([...saved.conflicts]).toEqual(["ann"]);
        expect(await document("ann")).toEqual(ann);
        expect(
          [newPage("ann", "2024-06"), fresh.after].map((each) => ({ ...each, whole: true })),
        ).toContainEqual(await page("ann", "2024-06", "all"));
        expect(await page("ann", "2024-05", "all")).toEqual({ ...change.after, whole: true });
        expect((await document("bob")).revision).toBe(1);
        expect((await document("cid")).revision).toBe(1);
      });

      test("a page may be ahead of its customer's note, which stays as it was until the customer is saved", async () => {
        const { ann, change } = await fill();
        const once = pageChange(change.after, { '["d"]': row("4") });
        const ahead = pageChange(once.after, { '["e"]': row("5") });
        for (const step of [once, ahead]) {
          expect(await conflictsOf(saving(ann, ann, { pages: [step] }))).toEqual([]);
          expect(await document("ann")).toEqual(ann);
        }
        expect(await page("ann", "2024-05", "all")).toMatchObject({ revision: 3, liveRows: 4 });
        const { revision, totals, liveRows } = ahead.after;
        const caughtUp = next(ann, { notes: { payments: { "2024-05": { revision, totals, liveRows } } } });
        await store.save(write(saving(ann, caughtUp)));
        expect(await document("ann")).toEqual(caughtUp);
      });
    });

    describe("places", () => {
      test("a row is found by its key wherever it is: in a document, in a page, live or not, with several customers", async () => {
        const moved = { '["1"]': row("1", {}, false) };
        await store.save(
          write(
            saving(newCustomer("ann"), customer("ann", { tables: { accounts: moved } })),
            saving(
              newCustomer("bob"),
              customer("bob", { tables: { accounts: { '["1"]': row("2"), '["2"]': row("3") } } }),
            ),
            saving(newCustomer("cid"), customer("cid"), {
              pages: [pageChange(newPage("cid", "2024-05"), { '["1"]': row("4") })],
            }),
          ),
        );
        const accounts = { table: "accounts", key: '["1"]', page: null };
        expect(await places("accounts", '["1"]', '["9"]')).toEqual([
          { ...accounts, customerId: "ann", at: "1", live: false },
          { ...accounts, customerId: "bob", at: "2", live: true },
        ]);
        expect(await places("payments", '["1"]')).toEqual([
          { table: "payments", key: '["1"]', page: "2024-05", customerId: "cid", at: "4", live: true },
        ]);
      });

      test("a place follows its row: a newer position, a delete, a row that is gone", async () => {
        const first = customer("ann", { tables: { accounts: { '["1"]': row("1"), '["2"]': row("1") } } });
        await store.save(write(saving(newCustomer("ann"), first)));
        const second = next(first, { tables: { accounts: { '["1"]': row("2", {}, false) } } });
        await store.save(write(saving(first, second)));
        expect(await places("accounts", '["1"]', '["2"]')).toEqual([
          { table: "accounts", key: '["1"]', customerId: "ann", page: null, at: "2", live: false },
        ]);
      });

      test("rows that belong to nobody yet have their place with NOBODY", async () => {
        const change = pageChange(newPage(NOBODY, "waiting"), { '["1"]': row("1", {}, false) });
        const nobody = newCustomer(NOBODY);
        await store.save(write(saving(nobody, nobody, { pages: [change] })));
        expect(await places("payments", '["1"]')).toMatchObject([
          { customerId: NOBODY, page: "waiting", live: false },
        ]);
      });
    });

    describe("what comes with a save", () => {
      test("checkpoints of a partition never go backwards, counted by size and not as text", async () => {
        const put = (nextOffset: string, partition = 0) =>
          store.save({ ...EMPTY_SAVE, checkpoints: [{ topic: "t", partition, nextOffset }] });
        await put("9");
        await put("10");
        expect(await store.checkpoints()).toEqual([{ topic: "t", partition: 0, nextOffset: "10" }]);
        await put("9007199254740993");
        await put("9007199254740992");
        await put("91");
        await put("3", 1);
        expect(await store.checkpoints()).toEqual([
          { topic: "t", partition: 0, nextOffset: "9007199254740993" },
          { topic: "t", partition: 1, nextOffset: "3" },
        ]);
      });

      test("checkpoints are forgotten by how their topics begin, and by nothing else", async () => {
        const topics = ["r:a:x", "r:a:y", "r:b:x", "r", "x r:a:"];
        const checkpoints = topics.map((topic) => ({ topic, partition: 1, nextOffset: "5" }));
        await store.save({ ...EMPTY_SAVE, checkpoints });
        await store.forgetCheckpoints("r:a:");
        const left = (await store.checkpoints()).map(({ topic }) => topic).sort();
        expect(left).toEqual(["r", "r:b:x", "x r:a:"]);
        await store.save({ ...EMPTY_SAVE, checkpoints: [{ topic: "r:a:x", partition: 1, nextOffset: "2" }] });
        expect(await store.checkpoints()).toContainEqual({ topic: "r:a:x", partition: 1, nextOffset: "2" });
      });

      test("truncate watermarks never go backwards and come with every load", async () => {
        await store.save({ ...EMPTY_SAVE, truncates: { payments: "5", accounts: "1" } });
        await store.save({ ...EMPTY_SAVE, truncates: { payments: "4", accounts: "2" } });
        expect((await load({})).truncates).toEqual({ payments: "5", accounts: "2" });
      });

      test("an announcement is in the document from its save until it is confirmed, and confirming changes no revision", async () => {
        const first = customer("ann", { outbox: [announcement("ann", 1)] });
        const second = next(first, { outbox: [announcement("ann", 1), announcement("ann", 2)] });
        await store.save(write(saving(newCustomer("ann"), first)));
        await store.save(write(saving(first, second)));
        await store.save({
          ...EMPTY_SAVE,
          confirms: [
            { customerId: "ann", revision: 1 },
            { customerId: "who", revision: 1 },
          ],
        });
        expect(await document("ann")).toEqual({ ...second, outbox: [announcement("ann", 2)] });
        expect(await conflictsOf(saving(second, next(second, { outbox: [] })))).toEqual([]);
      });

      test("a customer saved to be relayed is outstanding until the revision is confirmed, whoever saves it in between", async () => {
        const first = customer("ann", { outbox: [announcement("ann", 1)] });
        await store.save(
          write(
            saving(newCustomer("ann"), first, { relay: true }),
            saving(newCustomer("bob"), customer("bob")),
          ),
        );
        const second = next(first);
        await store.save(write(saving(first, second)));
        const unpublished = async () => (await store.outstanding(0, 10)).unpublished;
        expect(await unpublished()).toEqual(["ann"]);
        await store.save({ ...EMPTY_SAVE, confirms: [{ customerId: "ann", revision: 0 }] });
        expect(await unpublished()).toEqual(["ann"]);
        await store.save({ ...EMPTY_SAVE, confirms: [{ customerId: "ann", revision: 1 }] });
        expect(await unpublished()).toEqual([]);
      });

      test("what was saved can be left to the relay afterwards, by saving it once more on its own revision", async () => {
        const first = customer("ann", { outbox: [announcement("ann", 1)], dueMs: 7 });
        await store.save(write(saving(newCustomer("ann"), first)));
        const unpublished = async () => (await store.outstanding(0, 10)).unpublished;
        expect(await unpublished()).toEqual([]);
        for (let times = 0; times < 2; times += 1) {
          expect(await conflictsOf(saving(first, { ...first }, { relay: true }))).toEqual([]);
          expect(await unpublished()).toEqual(["ann"]);
          expect(await document("ann")).toEqual(first);
        }
        await store.save(write(saving(first, next(first))));
        expect(await conflictsOf(saving(first, { ...first }, { relay: true }))).toEqual(["ann"]);
        await store.save({ ...EMPTY_SAVE, confirms: [{ customerId: "ann", revision: 2 }] });
        expect(await unpublished()).toEqual([]);
      });

      test("customers are due once their time has come, at most so many at once, and no longer when it is moved", async () => {
        const due = ["ann", "bob", "cid"].map((id, index) => customer(id, { dueMs: 1_000 + index }));
        await store.save(write(...due.map((each) => saving(newCustomer(each.customerId), each))));
        expect((await store.outstanding(999, 10)).due).toEqual([]);
        expect([...(await store.outstanding(1_001, 10)).due].sort()).toEqual(["ann", "bob"]);
        expect((await store.outstanding(5_000, 2)).due).toHaveLength(2);
        for (const each of due) await store.save(write(saving(each, next(each, { dueMs: null }))));
        expect((await store.outstanding(5_000, 10)).due).toEqual([]);
      });

      test("a record refused again is one entry of the quarantine, another record at its coordinates is another", async () => {
        const bytes = new Uint8Array([0, 255]);
        const quarantined: Quarantined = {
          record: {
            topic: "t",
            partition: 1,
            offset: "9007199254740993",
            timestampMs: 1,
            key: null,
            value: bytes,
            headers: { h: "v" },
          },
          table: "payments",
          refusal: { code: "unreadable", reason: "not JSON", rules: [] },
          atMs: 1,
        };
        await store.save({ ...EMPTY_SAVE, quarantine: [quarantined, quarantined] });
        await store.save({ ...EMPTY_SAVE, quarantine: [{ ...quarantined, atMs: 2 }] });
        expect(await opened.quarantined()).toBe(1);
        // A topic that was made anew, or captures of two clusters in one folder, give the same coordinates again.
        const { record, refusal } = quarantined;
        const others: readonly Quarantined[] = [
          { ...quarantined, record: { ...record, value: new Uint8Array([0, 254]) } },
          { ...quarantined, record: { ...record, value: null } },
          { ...quarantined, record: { ...record, key: bytes, value: null } },
          { ...quarantined, record: { ...record, key: new Uint8Array([0]), value: new Uint8Array([255]) } },
          { ...quarantined, record: { ...record, key: new Uint8Array([]), value: bytes } },
          { ...quarantined, refusal: { ...refusal, code: "missing-key" } },
        ];
        await store.save({ ...EMPTY_SAVE, quarantine: others });
        await store.save({ ...EMPTY_SAVE, quarantine: others });
        expect(await opened.quarantined()).toBe(1 + others.length);
      });
    });

    describe("holders", () => {
      test("exactly the customers with live rows of the table are answered, NOBODY included, in id order, a page at a time", async () => {
        const inline = (live: boolean) => ({ accounts: { '["1"]': row("1", {}, live) } });
        const paged = (id: string) => pageChange(newPage(id, "2024-05"), { [`["${id}"]`]: row("1") });
        await store.save(
          write(
            ...["d", "a", "c"].map((id) => saving(newCustomer(id), customer(id, { tables: inline(true) }))),
            saving(newCustomer("b"), customer("b", { tables: inline(false) })),
            ...["p", NOBODY, "o"].map((id) =>
              saving(newCustomer(id), newCustomer(id), { pages: [paged(id)] }),
            ),
          ),
        );
        expect(await store.holders("accounts", null, 2)).toEqual(["a", "c"]);
        expect(await store.holders("accounts", "c", 2)).toEqual(["d"]);
        expect(await store.holders("payments", null, 2)).toEqual([NOBODY, "o"]);
        expect(await store.holders("payments", NOBODY, 2)).toEqual(["o", "p"]);
        expect(await store.holders("profile", null, 2)).toEqual([]);
        const c = await document("c");
        await store.save(write(saving(c, next(c, { tables: inline(false) }))));
        expect(await store.holders("accounts", null, 5)).toEqual(["a", "d"]);
      });
    });

    test("everything saved is there after the store was closed and opened again", async () => {
      const { reopen } = opened;
      const change = pageChange(newPage("ann", "2024-05"), { '["a"]': row("1") });
      const ann = customer("ann", {
        metrics: { visits: 3 },
        outbox: [announcement("ann", 1)],
        tables: { accounts: { '["1"]': row("1") } },
      });
      await store.save({
        ...write(saving(newCustomer("ann"), ann, { pages: [change], relay: true })),
        checkpoints: [{ topic: "t", partition: 0, nextOffset: "5" }],
        truncates: { payments: "7" },
      });
      store = await reopen();
      expect(await document("ann")).toEqual(ann);
      expect((await page("ann", "2024-05", "all")).rows).toEqual({ '["a"]': row("1") });
      expect(await places("accounts", '["1"]')).toHaveLength(1);
      expect(await store.checkpoints()).toEqual([{ topic: "t", partition: 0, nextOffset: "5" }]);
      expect((await load({})).truncates).toEqual({ payments: "7" });
      expect((await store.outstanding(0, 5)).unpublished).toEqual(["ann"]);
    });

    test("who proposes first decides what all agree on, for good, and in this store only", async () => {
      const [one = "", other] = await Promise.all(["a", "b"].map((each) => store.agreed("name", each)));
      expect(["a", "b"]).toContain(one);
      expect(other).toBe(one);
      expect(await store.agreed("another name", "c")).toBe("c");
      store = await opened.reopen();
      expect(await store.agreed("name", "d")).toBe(one);
      const elsewhere = await open(SHAPES);
      expect(await elsewhere.store.agreed("name", "e")).toBe("e");
      await elsewhere.dispose();
    });

    test("closing twice is closing once", async () => {
      await store.close();
      await store.close();
    });
  });
}
