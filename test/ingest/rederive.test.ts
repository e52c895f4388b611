import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { SourceRecord } from "../../src/cdc/change.ts";
import { systemClock } from "../../src/clock.ts";
import { canonical } from "../../src/customer/values/canonical.ts";
import type { Plan } from "../../src/customer/plan.ts";
import { codeOf } from "../../src/errors.ts";
import { rederiveAll } from "../../src/ingest/rederive.ts";
import { silentLog } from "../../src/log.ts";
import { sqliteStore } from "../../src/store/sqlite/store.ts";
import { localUpdates } from "../../src/updates/local/updates.ts";
import { condition, metric, offer } from "../helpers/history-plan.ts";
import { memorySource } from "../helpers/memory-source.ts";
import { arrivals, histories } from "./moves.ts";
import { documents, ingest, record, run, runs, world } from "./world.ts";

type SqliteStore = ReturnType<typeof sqliteStore>;

const spender = (bound: number): Plan["segments"][number] => ({
  name: "spender",
  description: "",
  when: null,
  tiers: [{ name: "BIG", when: condition(({ metrics }) => Number(metrics["spent"]) >= bound) }],
  otherwise: "SMALL",
});

/** The pipeline the store was filled under, and the one it is opened with again. */
const FORMER: Plan = { ...world, segments: [spender(50)] };
const NEXT: Plan = {
  ...world,
  version: "2",
  metrics: [
    ...world.metrics,
    metric("least", { table: "payments", function: "min", column: "amount" }),
    metric("odd", { table: "payments", function: "count", filter: ({ amount }) => Number(amount) % 2 === 1 }),
  ],
  segments: [spender(5)],
  offers: [
    ...world.offers,
    offer("odds", {
      trigger: { kind: "when", condition: condition(({ metrics }) => Number(metrics["odd"]) >= 1) },
    }),
  ],
};

const derive = (store: SqliteStore, plan: Plan, signal = new AbortController().signal) =>
  rederiveAll({ plan, store, clock: systemClock, log: silentLog, signal });

/** A data file for one test, opened anew under any plan. */
async function inFile(work: (open: (plan: Plan) => SqliteStore, path: string) => Promise<void>) {
  const dir = await mkdtemp(join(tmpdir(), "customer360-rederive-"));
  const path = join(dir, "data.db");
  const stores: SqliteStore[] = [];
  const open = (plan: Plan) => {
    const store = sqliteStore({ path, plan });
    stores.push(store);
    return store;
  };
  try {
    await work(open, path);
  } finally {
    for (const store of stores) await store.close();
    await rm(dir, { recursive: true, force: true });
  }
}

/** One life of the program: derives what is stored, then ingests. */
async function live(
  store: SqliteStore,
  { path, plan, records }: { path: string; plan: Plan; records: readonly SourceRecord[] },
) {
  await derive(store, plan);
  const updates = localUpdates({ path, clock: systemClock });
  await run({ store, updates, source: memorySource({ records }, { batchSize: 7 }) }, { plan });
  await updates.close();
}

async function documentsIn(store: SqliteStore, ids: readonly string[]) {
  const found: Record<string, string> = {};
  for (const id of ids) {
    const { customers } = await store.load({ customers: [id], pages: [], keys: {} });
    const refs = (await store.pagesOf([id])).map((ref) => ({ ...ref, keys: "all" as const }));
    const { pages } = await store.load({ customers: [], pages: refs, keys: {} });
    for (const customer of customers.values()) found[id] = canonical(customer, pages);
  }
  return found;
}

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
const PAYMENTS = Array.from({ length: 240 }, (_, at) => payment(at + 1, at + 1, `c${at % 120}`));

test("a store opened under another pipeline ends in the documents of a fresh ingest under it, before and after further changes", async () => {
  await fc.assert(
    fc.asyncProperty(
      histories({ ties: false }).chain((history) => fc.tuple(fc.constant(history), arrivals(history))),
      async ([, arrived]) => {
        const numbered = arrived.map((one, at) => ({ ...one, offset: String(at) }));
        const half = numbered.slice(0, numbered.length >> 1);
        const fresh = async (records: readonly SourceRecord[]) =>
          documents(await ingest(records, { batchSize: 7, plan: NEXT }));
        await inFile(async (open, path) => {
          await live(open(FORMER), { path, plan: FORMER, records: half });
          const store = open(NEXT);
          await derive(store, NEXT);
          const first = await fresh(half);
          expect(await documentsIn(store, Object.keys(first))).toEqual(first);
          await live(store, { path, plan: NEXT, records: numbered });
          const whole = await fresh(numbered);
          expect(await documentsIn(store, Object.keys(whole))).toEqual(whole);
        });
      },
    ),
    { numRuns: runs(20) },
  );
}, 120_000);

test("a pass cut off anywhere goes on where it was, and nobody is announced twice", async () => {
  const expected = documents(await ingest(PAYMENTS, { batchSize: 7, plan: NEXT }));
  for (const survives of [0, 1, 2]) {
    await inFile(async (open, path) => {
      await live(open(FORMER), { path, plan: FORMER, records: PAYMENTS });
      const store = open(NEXT);
      let saves = 0;
      const failing: SqliteStore = {
        ...store,
        save: async (save) => {
          if (saves++ === survives) throw new Error("killed");
          return store.save(save);
        },
      };
      await expect(derive(failing, NEXT)).rejects.toThrow("killed");
      await derive(store, NEXT);
      expect(await documentsIn(store, Object.keys(expected))).toEqual(expected);
      const { customers } = await store.load({ customers: Object.keys(expected), pages: [], keys: {} });
      for (const { outbox, revision } of customers.values())
        expect(outbox.filter((entry) => entry.revision === revision)).toHaveLength(1);
      const { unpublished } = await store.outstanding(0, 1_000);
      expect([...unpublished].sort()).toEqual(Object.keys(expected));
      await derive(store, NEXT);
      const again = await store.load({ customers: Object.keys(expected), pages: [], keys: {} });
      expect([...again.customers.values()]).toEqual([...customers.values()]);
    });
  }
}, 60_000);

test("the segments, metrics and offers that differ are announced", async () => {
  await inFile(async (open, path) => {
    await live(open(FORMER), { path, plan: FORMER, records: [payment(7, 1, "ann")] });
    const store = open(NEXT);
    await derive(store, NEXT);
    const { customers } = await store.load({ customers: ["ann"], pages: [], keys: {} });
    expect(customers.get("ann")?.outbox.at(-1)).toMatchObject({
      changed: ["metrics.least", "metrics.odd", "offers.odds", "segments.spender"],
      segments: [{ segment: "spender", from: "SMALL", to: "BIG" }],
      offers: [{ offer: "odds", from: null, to: "TRIGGERED" }],
    });
  });
});

test("rows that mean something else now are refused; a new column is not", async () => {
  await inFile(async (open, path) => {
    await live(open(FORMER), { path, plan: FORMER, records: [payment(7, 1, "ann")] });
    const changed = (name: string, given: Partial<Plan["tables"][number]>): Plan => ({
      ...FORMER,
      version: "3",
      tables: FORMER.tables.map((table) => (table.name === name ? { ...table, ...given } : table)),
    });
    const store = open(FORMER);
    const refusal = (plan: Plan) => derive(store, plan).catch((error: unknown) => codeOf(error));
    const daily = { kind: "paged", column: "posted_on", period: "day" } as const;
    const without: Plan = { ...FORMER, version: "3", tables: FORMER.tables.slice(1) };
    expect(await refusal(changed("payments", { storage: daily }))).toBe("STORE_INCOMPATIBLE");
    expect(await refusal(changed("accounts", { key: ["id", "note"] }))).toBe("STORE_INCOMPATIBLE");
    expect(await refusal(without)).toBe("STORE_INCOMPATIBLE");
    const columns = FORMER.tables[0]?.columns ?? [];
    const [first] = columns;
    if (first === undefined) throw new Error("no column");
    expect(await refusal(changed("profile", { columns: [{ ...first, type: "json" }] }))).toBe(
      "STORE_INCOMPATIBLE",
    );
    const added = { ...first, name: "added" };
    expect(await refusal(changed("profile", { columns: [...columns, added] }))).toBeUndefined();
  });
});
