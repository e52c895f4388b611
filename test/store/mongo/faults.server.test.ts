import { randomBytes } from "node:crypto";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { expect, test } from "vitest";
import { systemClock } from "../../../src/clock.ts";
import { newCustomer } from "../../../src/customer/customer.ts";
import { codeOf } from "../../../src/errors.ts";
import { createPatience } from "../../../src/ingest/waiting/patience.ts";
import { createSetbacks } from "../../../src/ingest/waiting/setbacks.ts";
import { silentLog } from "../../../src/log.ts";
import { noMetrics } from "../../../src/metrics.ts";
import { openMongo } from "../../../src/store/mongo/client.ts";
import { openMongoStore } from "../../../src/store/mongo/store.ts";
import { EMPTY_SAVE, type Save } from "../../../src/store/store.ts";
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
} from "../../contract/shapes.ts";
import { lossyProxy, type LossyProxy } from "../../helpers/lossy-proxy.ts";
import { describeServer, needsOurOwn, type Wanted } from "../../servers/describe-server.ts";
import { startMongo, type Mongo } from "../../servers/mongo.ts";

const openAt = (uri: string, database: string) =>
  openMongoStore({ uri, database, plan: SHAPES, log: silentLog });
type Opened = Awaited<ReturnType<typeof openAt>>;
const someDatabase = () => `customer360_${randomBytes(6).toString("hex")}`;
const document = async (store: Opened, id: string) =>
  (await store.load({ customers: [id], pages: [], keys: {} })).customers.get(id);

const wanted = (storage: "memory" | "file"): Wanted<Mongo> => ({
  needs: ["mongo"],
  start: (use) => use(startMongo({ storage })),
});

describeServer("the store on a MongoDB whose replies get lost", wanted("memory"), (mongo) => {
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

  test("an operation begun while its connection is ending does not wait for ever", async (context) => {
    needsOurOwn(context, mongo());
    const near: Socket[] = [];
    const server = createServer((client) => {
      const far = connect(mongo().port, "127.0.0.1");
      for (const socket of [client, far]) socket.on("error", () => {});
      client.pipe(far).pipe(client);
      near.push(client);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const attempts: Promise<unknown>[] = [];
    const bounds = "serverSelectionTimeoutMS=500&socketTimeoutMS=500&maxPoolSize=1&directConnection=true";
    const opened = openMongo({ uri: `mongodb://127.0.0.1:${port}/?${bounds}`, database: someDatabase() });
    const collection = opened.collection("customers");
    /** The socket has ended then, and has told nobody. */
    const beginAtEnd = (socket: Socket) =>
      socket.once("finish", () => queueMicrotask(() => attempts.push(collection.find({ filter: {} }))));
    const seen = (message: unknown) => beginAtEnd((message as { socket: Socket }).socket);
    subscribe("net.client.socket", seen);
    await collection.find({ filter: {} });
    unsubscribe("net.client.socket", seen);
    for (const socket of near.reverse()) socket.end();
    await expect.poll(() => attempts.length).toBeGreaterThan(0);
    const codes = (await Promise.allSettled(attempts)).map((each) =>
      each.status === "fulfilled" ? null : codeOf(each.reason),
    );
    expect(new Set([null, "STORE_UNAVAILABLE", ...codes]).size).toBe(2);
    await opened.close();
    for (const socket of near) socket.destroy();
    server.close();
  });

  test("writers in several processes lose no increment, neither of a document nor of a page", async () => {
    const database = someDatabase();
    const stores = await Promise.all(Array.from({ length: 4 }, () => openAt(mongo().uri, database)));
    const INCREMENTS = 12;
    const ref = { customerId: "ann", table: "payments", page: "2024-05" };
    const loaded = async (store: Opened) => {
      const pages = [{ ...ref, keys: ['["a"]'] }];
      const found = await store.load({ customers: ["ann"], pages, keys: {} });
      return {
        ann: found.customers.get("ann") ?? newCustomer("ann"),
        page: found.pages[0] ?? newPage("ann", ref.page),
      };
    };
    const visits = async (store: Opened) => {
      const { ann } = await loaded(store);
      return saving(ann, next(ann, { metrics: { visits: Number(ann.metrics["visits"] ?? 0) + 1 } }));
    };
    const amounts = async (store: Opened) => {
      const { ann, page } = await loaded(store);
      const amount = String(Number(page.rows['["a"]']?.values["amount"] ?? 0) + 1);
      return saving(ann, ann, { pages: [pageChange(page, { '["a"]': row(amount, { amount }) })] });
    };
    const increment = async (store: Opened, by: typeof visits) => {
      for (let done = 0; done < INCREMENTS;)
        done += (await store.save(write(await by(store)))).conflicts.size === 0 ? 1 : 0;
    };
    await Promise.all(stores.flatMap((store) => [increment(store, visits), increment(store, amounts)]));
    const [store] = stores;
    if (store === undefined) throw new Error("no store");
    const { ann, page } = await loaded(store);
    const all = stores.length * INCREMENTS;
    expect(ann).toMatchObject({ revision: all, metrics: { visits: all } });
    expect(page).toMatchObject({ revision: all, rows: { '["a"]': { values: { amount: String(all) } } } });
    for (const each of stores) await each.close();
  });
});

describeServer("the store on a MongoDB that is killed", wanted("file"), (mongo) => {
  test("no save that was answered is lost, and saving goes on once it is back", async (context) => {
    needsOurOwn(context, mongo());
    const database = someDatabase();
    const uri = `${mongo().uri}?serverSelectionTimeoutMS=3000`;
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
    // Connections to the one that died are still in the pool.
    const patience = createPatience({
      setbacks: createSetbacks(systemClock),
      clock: systemClock,
      log: silentLog,
      metrics: noMetrics,
      signal: context.signal,
    });
    const { customers } = await patience("loading", () =>
      store.load({ customers: ids, pages: [], keys: {} }),
    );
    for (const [id, revision] of answered) {
      const found = customers.get(id) ?? newCustomer(id);
      expect(found.revision).toBeGreaterThanOrEqual(revision);
      expect(found.metrics).toEqual({ visits: found.revision });
      const save = write(saving(found, next(found)));
      expect((await patience("saving", () => store.save(save))).conflicts.size).toBe(0);
    }
    await store.close();
  });
});
