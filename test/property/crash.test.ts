import fc from "fast-check";
import { expect, test } from "vitest";
import type { SourceRecord } from "../../src/cdc/change.ts";
import type { Clock } from "../../src/clock.ts";
import type { Update } from "../../src/customer/customer.ts";
import { createPipeline } from "../../src/ingest/pipeline.ts";
import { createRelay } from "../../src/ingest/relay.ts";
import { silentLog } from "../../src/log.ts";
import type { Save, Store } from "../../src/store/store.ts";
import { memorySource } from "../helpers/memory-source.ts";
import { memoryStore, type MemoryStore } from "../helpers/memory-store.ts";
import { memoryUpdates, type MemoryUpdates } from "../helpers/memory-updates.ts";
import { arrivals, histories } from "../ingest/moves.ts";
import { documents, line, record, runs, world } from "../ingest/world.ts";
import { Customer360Error } from "../../src/errors.ts";

/**
 * The process dies at the k-th thing it asks of the world: before it happens, after it happened, or (`reply`) it happened and
 * only the answer was lost, with the process going on. Then a new process starts over what is durable.
 */
type Death = { readonly at: number; readonly how: "before" | "after" | "reply" | "written" };

/** Never settles: what a call of a dead process does. */
const never = new Promise<never>(() => {});

/** Counts the calls of one life and ends it at the given one. */
class Life {
  calls = 0;
  isOver = false;
  readonly #deaths: readonly Death[];
  readonly #end: () => void;

  constructor(deaths: readonly Death[], end: () => void) {
    this.#deaths = deaths;
    this.#end = end;
  }

  /** Wraps one call of a port. `isLocal`: its answer cannot be lost, since nothing but this process gives it. */
  call<A extends readonly unknown[], R>(
    action: (...args: A) => Promise<R>,
    isLocal = false,
  ): (...args: A) => Promise<R> {
    return async (...args) => {
      if (this.isOver) return never;
      this.calls += 1;
      const death = this.#deaths.find(({ at }) => at === this.calls);
      if (death?.how === "before") return this.#die();
      const result = await action(...args);
      if (death?.how === "after") return this.#die();
      if (death?.how === "reply" && !isLocal)
        throw new Customer360Error("STORE_UNAVAILABLE", "the answer was lost");
      return result;
    };
  }

  /** Ends in the middle of a save, between one write and the next. */
  write(): void {
    if (this.isOver) throw new Error("dead");
    this.calls += 1;
    if (!this.#deaths.some(({ at, how }) => at === this.calls && how === "written")) return;
    void this.#die();
    throw new Error("dead");
  }

  #die(): Promise<never> {
    this.isOver = true;
    this.#end();
    return never;
  }
}

/** What outlives a process, and what was seen happening to it. */
class Durable {
  readonly records: readonly SourceRecord[];
  readonly store: MemoryStore;
  readonly updates: MemoryUpdates;
  /** Every announcement that was ever in a stored outbox, `customer/revision`. */
  readonly announced = new Set<string>();
  /** Those of this life that a record led to: a redelivery has to stand behind them until they are published. */
  readonly owed = new Set<string>();
  /** What was owed and not yet published when a checkpoint moved on. */
  readonly tooEarly: string[] = [];
  life: Life | null = null;

  constructor(records: readonly SourceRecord[]) {
    this.records = records;
    this.store = memoryStore({ onWrite: () => this.life?.write() });
    this.updates = memoryUpdates();
  }

  /** Everything published, `customer/revision`. */
  published(): ReadonlySet<string> {
    return new Set(this.updates.entries.map(({ update }) => `${update.customerId}/${update.revision}`));
  }

  async save(save: Save): ReturnType<Store["save"]> {
    const published = this.published();
    const stored = new Map(
      (await this.store.checkpoints()).map((one) => [`${one.topic}/${one.partition}`, one]),
    );
    const moves = save.checkpoints.some(
      (one) => stored.get(`${one.topic}/${one.partition}`)?.nextOffset !== one.nextOffset,
    );
    if (moves) this.tooEarly.push(...[...this.owed].filter((id) => !published.has(id)));
    try {
      return await this.store.save(save);
    } finally {
      for (const { customerId, outbox } of this.store.documents.values())
        for (const { revision } of outbox) {
          const id = `${customerId}/${revision}`;
          const part = save.customers.find(({ after }) => after.customerId === customerId);
          if (!this.announced.has(id) && part?.relay === false) this.owed.add(id);
          if (part?.relay === true) this.owed.delete(id);
          this.announced.add(id);
        }
    }
  }
}

/** Time that nobody waits for: it jumps. */
function hastyClock(): Clock & { nowMsIs: number } {
  const clock = {
    nowMsIs: Date.UTC(2024, 0, 1),
    nowMs: () => clock.nowMsIs,
    wait: async (ms: number) => {
      clock.nowMsIs += ms;
      await new Promise<void>((resolve) => setImmediate(resolve));
    },
  };
  return clock;
}

interface Given {
  readonly records: readonly SourceRecord[];
  readonly batchSize: number;
  /** True for a store that other processes share: counts and checkpoints wait for one another there, and a batch is looked after. */
  readonly shared?: boolean;
  /** In each life publishing fails from so many-th attempt on, up to this one. */
  readonly away?: Away;
}

interface Away {
  readonly from: number;
  readonly to: number;
}

const NEVER_AWAY: Away = { from: Infinity, to: Infinity };

/** One life: the pipeline to the end of the source, an hour of silence, then the relay until nothing is outstanding. */
async function live(
  durable: Durable,
  { batchSize, shared = false, away = NEVER_AWAY }: Given,
  deaths: readonly Death[],
  clock: ReturnType<typeof hastyClock>,
): Promise<Life> {
  let end = (): void => {};
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  const life = new Life(deaths, end);
  durable.life = life;
  durable.owed.clear();
  const inner = memorySource(durable, { batchSize });
  const stop = new AbortController();
  const store: Store = {
    shared,
    agreed: (name, proposal) => durable.store.agreed(name, proposal),
    load: life.call((request) => durable.store.load(request)),
    save: life.call((save) => durable.save(save)),
    checkpoints: life.call(() => durable.store.checkpoints()),
    outstanding: life.call(async (nowMs, limit) => {
      const outstanding = await durable.store.outstanding(nowMs, limit);
      if (outstanding.due.length + outstanding.unpublished.length === 0) stop.abort();
      return outstanding;
    }),
    holders: life.call((table, after, limit) => durable.store.holders(table, after, limit)),
    close: async () => {},
  };
  const source = {
    ...inner,
    start: life.call(inner.start),
    next: life.call(inner.next, true),
    acknowledge: life.call(inner.acknowledge),
  };
  let asked = 0;
  const publish = async (announced: readonly Update[]): Promise<void> => {
    asked += 1;
    if (asked >= away.from && asked < away.to)
      throw new Customer360Error("UPDATES_UNAVAILABLE", "the stream is away");
    await durable.updates.publish(announced);
  };
  const updates = { ...durable.updates, publish: life.call(publish) };
  const parts = { plan: world, store, updates, clock, log: silentLog };
  const all = async (): Promise<void> => {
    await createPipeline({ ...parts, source }).run(new AbortController().signal);
    clock.nowMsIs += 3_600_000;
    await createRelay(parts).run(stop.signal);
  };
  await Promise.race([all(), ended]);
  return life;
}

/** Lives until one gets through, and says what is durable then. */
async function survive(
  given: Given,
  deathsOfLives: readonly (readonly Death[])[],
): Promise<{ durable: Durable; calls: number }> {
  const durable = new Durable(given.records);
  const clock = hastyClock();
  let calls = 0;
  for (const deaths of [...deathsOfLives, []]) {
    const life = await live(durable, given, deaths, clock);
    calls = Math.max(calls, life.calls);
  }
  return { durable, calls };
}

/** The promises that hold whatever happened. */
function expectSound(durable: Durable, calm: Durable): void {
  expect(documents(durable)).toEqual(documents(calm));
  expect([...durable.store.quarantine.keys()].sort()).toEqual([...calm.store.quarantine.keys()].sort());
  expect([...durable.announced].filter((id) => !durable.published().has(id))).toEqual([]);
  expect(durable.tooEarly).toEqual([]);
  const last = new Map<string, number>();
  for (const { update } of durable.updates.entries) {
    expect(update.revision).toBeGreaterThan(last.get(update.customerId) ?? 0);
    last.set(update.customerId, update.revision);
  }
  const told = new Map<string, string>();
  for (const { customerId, revision, changed, segments, offers } of durable.updates.asked) {
    const id = `${customerId}/${revision}`;
    const content = JSON.stringify({ changed, segments, offers });
    expect(told.get(id) ?? content).toBe(content);
    told.set(id, content);
  }
}

const payment = (
  id: number,
  lsn: number,
  row: Readonly<Record<string, unknown>>,
  op: "c" | "u" | "d" = "u",
): SourceRecord =>
  record(
    {
      table: "payments",
      op,
      lsn,
      row: { id, customer_id: "a", amount: 10, posted_on: 19_723, note: "n", ...row },
    },
    lsn,
  );
const account = (
  lsn: number,
  row: Readonly<Record<string, unknown>>,
  op: "c" | "u" | "d" | "t" = "u",
): SourceRecord =>
  record(
    {
      table: "accounts",
      op,
      lsn,
      row: op === "t" ? {} : { id: 1, customer_id: "a", balance: lsn, note: "n", ...row },
    },
    lsn,
  );
const profile = (lsn: number, tickets: number): SourceRecord =>
  record({ table: "profile", op: "u", lsn, row: { customer_id: "a", tickets } }, lsn);

/** A little of everything: moves between customers and pages, deletes that name nobody, refusals, an offer that expires. */
const story: readonly SourceRecord[] = [
  profile(1, 2),
  payment(1, 2, {}),
  account(3, {}),
  payment(2, 4, { amount: 90 }),
  profile(5, 8),
  account(6, { customer_id: "b" }),
  payment(1, 7, { posted_on: 19_760 }),
  payment(2, 8, { amount: 5 }),
  record({ table: "payments", op: "d", lsn: 9, row: { id: 1 } }, 9),
  line("a", 5_000, 1),
  line("b", 7, 2),
  line("nobody", 7, 3),
  payment(3, 10, { customer_id: "b" }),
  account(11, { customer_id: "a" }),
];

/** The same with tables emptied in between. */
const truncated: readonly SourceRecord[] = [
  ...story.slice(0, 8),
  account(8, {}, "t"),
  record({ table: "payments", op: "t", lsn: 9, row: {} }, 9),
  ...story.slice(9),
  payment(4, 12, { customer_id: "b" }),
];

/** Nothing comes after the truncate that would lead to the customers it swept. */
const emptied: readonly SourceRecord[] = [
  payment(2, 1, { customer_id: "b" }),
  account(2, { customer_id: "b" }),
  payment(3, 3, { customer_id: "c" }),
  account(4, {}, "t"),
  record({ table: "payments", op: "t", lsn: 5, row: {} }, 5),
];

/** A busy machine takes its time over so many lives. */
const LONG_MS = 180_000;

const ways = ["before", "after", "reply", "written"] as const;

test.each([
  ["everything but truncates", story],
  ["truncates", truncated],
  ["a truncate at the end", emptied],
])(
  "a crash at any single point loses nothing and doubles nothing: %s",
  async (_name, records) => {
    for (const [batchSize, shared] of [
      [1, false],
      [3, false],
      [1, true],
      [3, true],
    ] as const) {
      const given = { records, batchSize, shared };
      const { durable: calm, calls } = await survive(given, []);
      if (batchSize === 1) expect(calm.published().size).toBeGreaterThan(2);
      for (let at = 1; at <= calls; at += 1)
        for (const how of ways) expectSound((await survive(given, [[{ at, how }]])).durable, calm);
    }
  },
  LONG_MS,
);

test(
  "two crashes in a row lose nothing and double nothing",
  async () => {
    const given = { records: story, batchSize: 3 };
    const { durable: calm, calls } = await survive(given, []);
    const death = fc.record({ at: fc.integer({ min: 1, max: calls }), how: fc.constantFrom(...ways) });
    await fc.assert(
      fc.asyncProperty(fc.array(death, { minLength: 2, maxLength: 3 }), async (deaths) => {
        expectSound(
          (
            await survive(
              given,
              deaths.map((one) => [one]),
            )
          ).durable,
          calm,
        );
      }),
      { numRuns: runs(400) },
    );
  },
  LONG_MS,
);

test(
  "rows that wander survive crashes anywhere, arriving in any order",
  async () => {
    const death = fc.record({ at: fc.integer({ min: 1, max: 30 }), how: fc.constantFrom(...ways) });
    await fc.assert(
      fc.asyncProperty(
        histories({ ties: true }).chain(arrivals),
        fc.integer({ min: 1, max: 4 }),
        fc.boolean(),
        fc.array(death, { minLength: 1, maxLength: 3 }),
        async (records, batchSize, shared, deaths) => {
          const named = records.map((one, at) => ({ ...one, offset: String(at) }));
          const given = { records: named, batchSize, shared };
          const { durable: calm } = await survive(given, []);
          expectSound(
            (
              await survive(
                given,
                deaths.map((one) => [one]),
              )
            ).durable,
            calm,
          );
        },
      ),
      { numRuns: runs(200) },
    );
  },
  LONG_MS,
);

test(
  "while the stream is away, crashes lose nothing and double nothing either, and checkpoints go on",
  async () => {
    const cases: readonly [readonly SourceRecord[], Away][] = [
      [truncated, { from: 2, to: 9 }],
      [emptied, { from: 1, to: 40 }],
    ];
    for (const [records, away] of cases) {
      const { durable: calm } = await survive({ records, batchSize: 3 }, []);
      const given = { records, batchSize: 3, away };
      const { calls } = await survive(given, []);
      for (let at = 1; at <= calls; at += 1)
        for (const how of ways) expectSound((await survive(given, [[{ at, how }]])).durable, calm);
    }
  },
  LONG_MS,
);
