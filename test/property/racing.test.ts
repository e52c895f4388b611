import fc from "fast-check";
import { expect, test } from "vitest";
import type { SourceRecord } from "../../src/cdc/change.ts";
import type { Clock } from "../../src/clock.ts";
import type { Store } from "../../src/store/store.ts";
import { memorySource } from "../helpers/memory-source.ts";
import { memoryStore, type MemoryStore } from "../helpers/memory-store.ts";
import { memoryUpdates, type MemoryUpdates } from "../helpers/memory-updates.ts";
import { arrivals, histories } from "../ingest/moves.ts";
import { documents, ingest, record, run, runs } from "../ingest/world.ts";

/** Histories of wandering rows, some with a truncate in the middle. */
const truncated = fc
  .tuple(
    histories({ ties: true, whole: true }),
    fc.option(fc.record({ table: fc.constantFrom("accounts", "payments"), at: fc.nat({ max: 8 }) })),
  )
  .map(([{ records }, truncate]) => {
    if (truncate === null) return { records };
    const { table, at } = truncate;
    return { records: [...records, record({ table, op: "t", lsn: at * 10 + 5, row: {} }, 1_000)] };
  });

/** Histories of profiles, whose rows do not move and whose changes look nothing up, with a truncate among them. */
const profiles = fc
  .tuple(
    fc.array(
      fc.record({
        customer_id: fc.constantFrom("a", "b", "c"),
        tickets: fc.integer({ min: 0, max: 9 }),
        op: fc.constantFrom("u" as const, "u" as const, "u" as const, "d" as const),
      }),
      { minLength: 1, maxLength: 8 },
    ),
    fc.nat({ max: 8 }),
  )
  .map(([rows, at]) => {
    const changes = rows.map(({ op, ...row }, index) =>
      record({ table: "profile", op, lsn: 10 * index + 10, row }, index),
    );
    return { records: [...changes, record({ table: "profile", op: "t", lsn: at * 10 + 5, row: {} }, 1_000)] };
  });

/** A history, how it arrives, and which of two processes each arrival reaches: 2 for both, as with a zombie. */
const races = fc.oneof(truncated, profiles).chain((history) =>
  arrivals(history).chain((order) =>
    fc.record({
      history: fc.constant(history),
      order: fc.constant(order),
      to: fc.array(fc.integer({ min: 0, max: 2 }), { minLength: order.length, maxLength: order.length }),
      batchSize: fc.integer({ min: 1, max: 3 }),
      choices: fc.infiniteStream(fc.nat({ max: 1 })),
      rememberMs: fc.constantFrom(0, 100),
    }),
  ),
);

/** Time that nobody waits for, and that stands still: what was seen once is taken for fresh until the end, if it is at all. */
const hasty: Clock = { nowMs: () => Date.UTC(2024, 0, 1), wait: () => Promise.resolve() };

/** Lets one process after the other call the store: when all of those still running wait to, the next choice says who may. */
class Turns {
  readonly #choices: Iterator<number>;
  readonly #waiting: (() => void)[] = [];
  #running = 2;

  constructor(choices: Iterator<number>) {
    this.#choices = choices;
  }

  wait(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#next();
    });
  }

  end(): void {
    this.#running -= 1;
    this.#next();
  }

  #next(): void {
    if (this.#waiting.length < this.#running) return;
    const [chosen] = this.#waiting.splice(Number(this.#choices.next().value) % this.#running, 1);
    chosen?.();
  }
}

/** The store as one of several processes sees it. */
function contended(store: MemoryStore, turns: Turns): Store {
  return {
    ...store,
    load: async (request) => turns.wait().then(() => store.load(request)),
    save: async (save) => turns.wait().then(() => store.save(save)),
    holders: async (table, after, limit) => turns.wait().then(() => store.holders(table, after, limit)),
  };
}

/** One process over its share of the records. */
function process(
  records: readonly SourceRecord[],
  ports: { readonly store: Store; readonly updates: MemoryUpdates },
  { batchSize, rememberMs }: { readonly batchSize: number; readonly rememberMs: number },
): Promise<void> {
  const limits = { watermarksMs: rememberMs, bookkeepingMs: rememberMs };
  return run({ ...ports, source: memorySource({ records }, { batchSize }) }, { clock: hasty, limits });
}

test(
  "processes that race over one store end in the documents that one process alone ends in",
  async () => {
    await fc.assert(
      fc.asyncProperty(races, async ({ history, order, to, choices, ...how }) => {
        const store = memoryStore({ shared: true });
        const updates = memoryUpdates();
        const turns = new Turns(choices);
        const ports = { store: contended(store, turns), updates };
        const shares = [0, 1].map((one) => order.filter((_, index) => to[index] === one || to[index] === 2));
        await Promise.all(shares.map((share) => process(share, ports, how).finally(() => turns.end())));
        expect(documents({ store })).toEqual(documents(await ingest(history.records)));
        const revisions = new Map<string, number>();
        for (const { update } of updates.entries) {
          expect(update.revision).toBeGreaterThan(revisions.get(update.customerId) ?? 0);
          revisions.set(update.customerId, update.revision);
        }
      }),
      { numRuns: runs(600) },
    );
  },
  runs(120_000),
);
