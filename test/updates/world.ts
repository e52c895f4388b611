import { newCustomer } from "../../src/customer/customer.ts";
import type { Customer, OfferTransition, SegmentTransition, Update } from "../../src/customer/customer.ts";
import { matches } from "../../src/customer/values/filter.ts";
import type { Plan } from "../../src/customer/plan.ts";
import { silentLog } from "../../src/log.ts";
import type { Context } from "../../src/resolvers/context.ts";
import { OPEN_VIEWER } from "../../src/resolvers/context.ts";
import { createCursors } from "../../src/resolvers/frames/cursor.ts";
import type { Reads } from "../../src/store/reads.ts";
import { createHub } from "../../src/updates/hub.ts";
import type { HubLimits } from "../../src/updates/limits.ts";
import { onwardInOrder } from "../../src/updates/updates.ts";
import type { StreamEntry, StreamRead, Updates } from "../../src/updates/updates.ts";
import { counting, type Counting } from "../helpers/counting.ts";
import { manualClock } from "../helpers/manual-clock.ts";
import type { ManualClock } from "../helpers/manual-clock.ts";

/** An Updates double that can forget, restart, repeat and stand still. */
export interface StreamDouble extends Updates {
  readonly published: readonly StreamEntry[];
  /** Forgets all but the newest so many entries. */
  trim(keep: number): void;
  /** Begins another life: earlier cursors are of no use. */
  restart(): void;
  /** Publishes without looking for repeats. */
  repeat(update: Update): void;
  readonly reads: () => number;
  /** While held, readers at the tail are not told of new entries. */
  hold(held: boolean): void;
}

export function streamDouble(nowMs: () => number): StreamDouble {
  let life = 1;
  let published: StreamEntry[] = [];
  let first = 0;
  let held = false;
  let reads = 0;
  let waiting: (() => void)[] = [];
  const cursor = (n: number) => `${life}-${n}`;
  const place = (text: string): number | null => {
    const [of, n] = text.split("-").map(Number);
    return of === life && n !== undefined ? n : null;
  };
  const wake = () => {
    if (held) return;
    for (const each of waiting.splice(0)) each();
  };
  const append = (update: Update) =>
    published.push({ cursor: cursor(published.length + 1), update, publishedMs: nowMs() });
  const compare = (a: string, b: string): number | null => {
    const [left, right] = [place(a), place(b)];
    return left === null || right === null ? null : left - right;
  };
  return {
    get published() {
      return published;
    },
    reads: () => reads,
    trim: (keep) => {
      first = Math.max(first, published.length - keep);
    },
    restart: () => {
      life += 1;
      published = [];
      first = 0;
      wake();
    },
    repeat: (update) => {
      append(update);
      wake();
    },
    hold: (next) => {
      held = next;
      wake();
    },
    publish: async (updates) => {
      for (const update of updates) append(update);
      wake();
    },
    read: async (after, { limit, signal }): Promise<StreamRead> => {
      reads += 1;
      for (;;) {
        const at = place(after);
        const resumeAt = cursor(published.length);
        if (at === null || at > published.length)
          return { kind: "gap", missed: null, reason: "RESTART", resumeAt };
        if (at < first) return { kind: "gap", missed: published.length - at, reason: "RETENTION", resumeAt };
        if (!held && at < published.length)
          return { kind: "entries", entries: published.slice(at, at + limit) };
        if (signal.aborted) return { kind: "entries", entries: [] };
        await new Promise<void>((resolve) => {
          const done = () => {
            signal.removeEventListener("abort", done);
            resolve();
          };
          waiting.push(done);
          signal.addEventListener("abort", done, { once: true });
        });
      }
    },
    tail: async () => cursor(published.length),
    compare,
    onward: onwardInOrder(compare),
    close: async () => {},
  };
}

/** What one change of the world says. */
export interface Step {
  readonly metrics?: Customer["metrics"];
  readonly segments?: readonly SegmentTransition[];
  readonly offers?: readonly OfferTransition[];
  readonly changed?: readonly string[];
}

/** A store with documents, a stream, a hub: everything around subscriptions, doubled. */
export interface World {
  readonly clock: ManualClock;
  readonly stream: StreamDouble;
  /** What was counted. */
  readonly metrics: Counting;
  readonly context: Context;
  readonly documents: Map<string, Customer>;
  /** Saves the next revision of a customer without publishing it. */
  save(customerId: string, step?: Step): Update;
  /** Saves and publishes. */
  change(customerId: string, step?: Step): Promise<Update>;
  /** Runs before each read of documents. */
  beforeRead: (() => Promise<void>) | null;
  close(): Promise<void>;
}

export const plan: Plan = {
  name: "test",
  description: "",
  tables: [],
  metrics: [],
  segments: [
    {
      name: "engagement",
      description: "",
      tiers: [],
      otherwise: "LOW",
      when: null,
    },
  ],
  offers: [],
  version: "1",
};

export function world(limits: Partial<HubLimits> = {}): World {
  const clock = manualClock();
  const metrics = counting();
  const stream = streamDouble(() => clock.nowMs());
  const documents = new Map<string, Customer>();
  const hub = createHub({ updates: stream, clock, log: silentLog, limits, metrics });
  const self: { beforeRead: (() => Promise<void>) | null } = { beforeRead: null };
  const save = (customerId: string, step: Step = {}): Update => {
    const before = documents.get(customerId) ?? newCustomer(customerId);
    const revision = before.revision + 1;
    const segments = { ...before.segments };
    for (const { segment, from, to } of step.segments ?? [])
      segments[segment] = {
        state: "IN",
        tier: to,
        previousTier: from,
        enteredMs: clock.nowMs(),
        because: "",
      };
    const offers = { ...before.offers };
    for (const { offer, to } of step.offers ?? [])
      offers[offer] = { state: to, triggeredMs: clock.nowMs(), expiresMs: null, endedMs: null, because: "" };
    const customer: Customer = {
      ...before,
      revision,
      metrics: { ...before.metrics, ...step.metrics },
      segments,
      offers,
      freshness: { sourceMs: 1, ingestedMs: 2, appliedMs: clock.nowMs() },
    };
    documents.set(customerId, customer);
    const changed = step.changed ?? Object.keys(step.metrics ?? {}).map((name) => `metrics.${name}`);
    return {
      customerId,
      revision,
      changed,
      segments: step.segments ?? [],
      offers: step.offers ?? [],
      freshness: customer.freshness,
      customer,
    };
  };
  const reads = readsOf(documents, async () => self.beforeRead?.());
  const context: Context = {
    viewer: OPEN_VIEWER,
    plan,
    reads,
    hub,
    cursors: createCursors(Buffer.from("secret")),
    ingest: null,
    clock,
    log: silentLog,
    metrics,
  };
  return Object.assign(self, {
    clock,
    metrics,
    stream,
    context,
    documents,
    save,
    change: async (customerId: string, step?: Step) => {
      const update = save(customerId, step);
      await stream.publish([update]);
      return update;
    },
    close: () => hub.close(),
  });
}

function readsOf(documents: ReadonlyMap<string, Customer>, before: () => Promise<void>): Reads {
  const refused = () => Promise.reject(new Error("not part of these tests"));
  const page = <T>(all: readonly { item: T; cursor: string }[], first: number, after: string | null) => {
    const rest = all.filter(({ cursor }) => after === null || cursor > after);
    return { items: rest.slice(0, first), hasNext: rest.length > first };
  };
  return {
    customers: async (ids) => {
      await before();
      return ids.map((id) => documents.get(id) ?? null);
    },
    listCustomers: async ({ filter, first, after }) => {
      await before();
      const all = [...documents.values()]
        .filter((customer) => filter === null || matches(filter, customer))
        .map((item) => ({ item, cursor: item.customerId }))
        .sort((a, b) => (a.cursor < b.cursor ? -1 : 1));
      return page(all, first, after);
    },
    countCustomers: refused,
    listRows: refused,
    listOffers: async ({ customerId, offers, states, first, after }) => {
      await before();
      const all = [...documents.values()].flatMap((customer) =>
        Object.entries(customer.offers)
          .filter(([offer, state]) => {
            if (customerId !== null && customerId !== customer.customerId) return false;
            return (offers?.includes(offer) ?? true) && (states?.includes(state.state) ?? true);
          })
          .map(([offer, state]) => ({
            item: { customerId: customer.customerId, offer, state },
            cursor: `${customer.customerId} ${offer}`,
          })),
      );
      return page(all, first, after);
    },
    listQuarantine: refused,
    counts: refused,
  };
}
