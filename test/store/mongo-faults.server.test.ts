import { randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import { newCustomer } from "../../src/customer/customer.ts";
import { codeOf } from "../../src/errors.ts";
import { silentLog } from "../../src/log.ts";
import { openMongoStore } from "../../src/store/mongo-store.ts";
import { EMPTY_SAVE, type Save } from "../../src/store/store.ts";
import {
  announcement,
  customer,
  newPage,
  next,
  pageChange,
  row,
  saving,
  SHAPES,
  write,
} from "../contract/shapes.ts";
import { lossyProxy, type LossyProxy } from "../helpers/lossy-proxy.ts";
import { describeServer, needsOurOwn } from "../servers/describe-server.ts";
import { startMongo } from "../servers/mongo.ts";

const openAt = (uri: string, database: string) =>
  openMongoStore({ uri, database, plan: SHAPES, log: silentLog });
type Opened = Awaited<ReturnType<typeof openAt>>;
const someDatabase = () => `customer360_${randomBytes(6).toString("hex")}`;
const document = async (store: Opened, id: string) =>
  (await store.load({ customers: [id], pages: [], keys: {} })).customers.get(id);

const needs = ["mongo"] as const;
const memory = {
  needs,
  start: (use: Parameters<Parameters<typeof describeServer>[1]["start"]>[0]) => use(startMongo()),
};

describeServer("the store on a MongoDB whose replies get lost", memory, (mongo) => {
  /** A store whose connections go through a proxy. */
  const behind = async (use: (store: Opened, proxy: LossyProxy) => Promise<void>) => {
    const proxy = await lossyProxy(mongo().port);
    const store = await openAt(
      `mongodb://127.0.0.1:${proxy.port}/?directConnection=true&retryWrites=false`,
      someDatabase(),
    );
    try {
      await use(store, proxy);
    } finally {
      await store.close();
      await proxy.close();
    }
  };
  /** The command that a bulk sends to a collection begins so. */
  const command = (name: string, collection: string) =>
    `\u0002${name}\u0000${String.fromCharCode(collection.length + 1)}\u0000\u0000\u0000${collection}\u0000`;

  const change = pageChange(newPage("ann", "2024-05"), { '["a"]': row("1") });
  const first = customer("ann", { metrics: { visits: 1 }, outbox: [announcement("ann", 1)] });
  const second = next(first, { metrics: { visits: 2 }, outbox: [announcement("ann", 2)] });
  const later = pageChange({ ...change.after, whole: false }, { '["b"]': row("2") });
  const steps: readonly (readonly [what: string, collection: string, save: Save])[] = [
    ["insert", "customers", write(saving(newCustomer("ann"), first))],
    ["update", "customers", write(saving(first, second))],
    ["insert", "pages", write(saving(second, second, { pages: [change] }))],
    ["update", "pages", write(saving(second, second, { pages: [later] }))],
  ];

  test("a save that happened is answered as one, and happened once", async (context) => {
    needsOurOwn(context, mongo());
    await behind(async (store, proxy) => {
      for (const [at, [name, collection, save]] of steps.entries()) {
        proxy.loseReplies(command(name, collection), 1);
        expect((await store.save(save)).conflicts.size).toBe(0);
        expect(proxy.lost()).toBe(at + 1);
      }
      expect(await document(store, "ann")).toEqual(second);
      const [page] = (await store.load({ customers: [], pages: [{ ...later.after, keys: "all" }], keys: {} }))
        .pages;
      expect(page).toEqual({ ...later.after, whole: true });
    });
  });

  test("one whose replies are lost again and again is an outage; sent once more, it is found to have happened", async (context) => {
    needsOurOwn(context, mongo());
    await behind(async (store, proxy) => {
      for (const [name, collection, save] of steps) {
        // The reading back is lost as well, more often than the driver repeats it.
        proxy.loseReplies(`\u0000\u0000\u0000${collection}\u0000`, 4);
        const failure: unknown = await store.save(save).catch((error: unknown) => error);
        expect([name, collection, codeOf(failure)]).toEqual([name, collection, "STORE_UNAVAILABLE"]);
        proxy.loseReplies("", 0);
        expect([...(await store.save(save)).conflicts]).toEqual([]);
      }
      expect(await document(store, "ann")).toEqual(second);
    });
  });

  test("counts of a save that is sent again count once, and so does everything that comes with it", async (context) => {
    needsOurOwn(context, mongo());
    await behind(async (store, proxy) => {
      const tallies = (count: number) =>
        [{ table: "accounts", kind: "verdict", label: "applied", count }] as const;
      const record = {
        topic: "t",
        partition: 0,
        offset: "1",
        timestampMs: 1,
        key: null,
        value: null,
        headers: {},
      };
      const refusal = { code: "unreadable", reason: "", rules: [] } as const;
      const save = {
        ...EMPTY_SAVE,
        tallies: tallies(3),
        quarantine: [{ record, table: null, refusal, atMs: 1 }],
        checkpoints: [{ topic: "t", partition: 0, nextOffset: "2" }],
      };
      for (const collection of ["tallies", "checkpoints"]) {
        proxy.loseReplies(command("update", collection), 1);
        const failure: unknown = await store.save(save).catch((error: unknown) => error);
        expect(codeOf(failure)).toBe("STORE_UNAVAILABLE");
      }
      await store.save(save);
      await store.save({ ...EMPTY_SAVE, tallies: tallies(4) });
      const counts = await store.counts();
      expect(counts.tallies).toEqual(tallies(7));
      expect(counts.quarantined).toEqual([{ table: null, code: "unreadable", count: 1 }]);
      expect(await store.checkpoints()).toEqual(save.checkpoints);
    });
  });

  test("writers in several processes lose no increment, of documents and of pages", async () => {
    const database = someDatabase();
    const stores = await Promise.all(Array.from({ length: 4 }, () => openAt(mongo().uri, database)));
    const INCREMENTS = 12;
    const increment = async (store: Opened) => {
      for (let done = 0; done < INCREMENTS;) {
        const loaded = await store.load({
          customers: ["ann"],
          pages: [{ customerId: "ann", table: "payments", page: "2024-05", keys: ['["a"]'] }],
          keys: {},
        });
        const [before, page] = [loaded.customers.get("ann") ?? newCustomer("ann"), loaded.pages[0]];
        const after = next(before, { metrics: { visits: Number(before.metrics["visits"] ?? 0) + 1 } });
        const amount = String(Number(page?.rows['["a"]']?.values["amount"] ?? 0) + 1);
        const turned = page === undefined ? [] : [pageChange(page, { '["a"]': row(amount, { amount }) })];
        const { conflicts } = await store.save(write(saving(before, after, { pages: turned })));
        done += conflicts.size === 0 ? 1 : 0;
      }
    };
    await Promise.all(stores.map(increment));
    const [store] = stores;
    if (store === undefined) throw new Error("no store");
    const all = 4 * INCREMENTS;
    expect(await document(store, "ann")).toMatchObject({ revision: all, metrics: { visits: all } });
    const loaded = await store.load({
      customers: [],
      pages: [{ customerId: "ann", table: "payments", page: "2024-05", keys: "all" }],
      keys: {},
    });
    // A page may be ahead: its save won where the document's lost.
    expect(loaded.pages[0]?.revision).toBeGreaterThanOrEqual(all);
    expect(Number(loaded.pages[0]?.rows['["a"]']?.values["amount"])).toBe(loaded.pages[0]?.revision);
    for (const each of stores) await each.close();
  });
});

const file = {
  needs,
  start: (use: Parameters<Parameters<typeof describeServer>[1]["start"]>[0]) =>
    use(startMongo({ storage: "file" })),
};

describeServer("the store on a MongoDB that is killed", file, (mongo) => {
  describe("and started again", () => {
    test("no save that was answered is lost, and saving goes on", async (context) => {
      needsOurOwn(context, mongo());
      const database = someDatabase();
      const uri = `${mongo().uri}?serverSelectionTimeoutMS=500`;
      const store = await openAt(uri, database);
      const answered = new Map<string, number>();
      let saves = 0;
      const writer = async (id: string) => {
        for (let known = newCustomer(id); ;) {
          const after = next(known, { metrics: { visits: known.revision + 1 } });
          const { conflicts } = await store.save(write(saving(known, after)));
          if (conflicts.size > 0) throw new Error("nobody else writes");
          known = after;
          answered.set(id, known.revision);
          saves += 1;
          if (saves === 60) await mongo().kill();
        }
      };
      const ids = ["ann", "bob", "cid"];
      const ended = await Promise.allSettled(ids.map(writer));
      for (const each of ended)
        expect(each.status === "rejected" && codeOf(each.reason)).toBe("STORE_UNAVAILABLE");
      await mongo().restart();
      const { customers } = await store.load({ customers: ids, pages: [], keys: {} });
      for (const [id, revision] of answered) {
        const found = customers.get(id) ?? newCustomer(id);
        expect(found.revision).toBeGreaterThanOrEqual(revision);
        expect(found.metrics).toEqual({ visits: found.revision });
        expect((await store.save(write(saving(found, next(found))))).conflicts.size).toBe(0);
      }
      await store.close();
    });
  });
});
