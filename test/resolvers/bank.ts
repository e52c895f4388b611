import type { Row } from "../../src/customer/customer.ts";
import { newCustomer } from "../../src/customer/customer.ts";
import type { Customer } from "../../src/customer/customer.ts";
import { matches } from "../../src/customer/values/filter.ts";
import type { Plan } from "../../src/customer/plan.ts";
import { silentLog } from "../../src/log.ts";
import { noMetrics } from "../../src/metrics.ts";
import type { Context } from "../../src/resolvers/context.ts";
import { OPEN_VIEWER } from "../../src/resolvers/context.ts";
import { createCursors } from "../../src/resolvers/frames/cursor.ts";
import type { Listing, QuarantinedRecord, Reads } from "../../src/store/reads.ts";
import { createHub } from "../../src/updates/hub.ts";
import { manualClock } from "../helpers/manual-clock.ts";
import { column, condition, metric, offer, table } from "../helpers/history-plan.ts";
import { memoryUpdates } from "../helpers/memory-updates.ts";

/** A small bank, compiled by hand: every kind of table, metric, segment and offer once. */
export const bank: Plan = {
  name: "bank",
  description: "A small bank.",
  version: "1",
  tables: [
    table("register", {
      rows: "one",
      columns: [
        column("full_name", "text"),
        column("birth_date", "date"),
        column("created_at", "timestamp"),
        { ...column("score", "float"), as: "riskScore" },
        { ...column("tags", "text"), list: true },
        column("extra", "json"),
      ],
      expectations: [{ name: "name_present", holds: () => true, action: "warn" }],
    }),
    table("bank_accounts", { columns: [column("id", "bigint"), column("balance", "decimal", 2)] }),
    table("card_transactions", {
      storage: { kind: "paged", column: "posted_at", period: "month" },
      columns: [column("amount", "decimal", 2), column("posted_at", "timestamp")],
    }),
  ],
  metrics: [
    metric("spend_total", {
      table: "card_transactions",
      function: "sum",
      column: "amount",
      type: "decimal",
      scale: 2,
    }),
    metric("payments", { table: "card_transactions", function: "count" }),
  ],
  segments: [
    {
      name: "engagement",
      description: "How much the customer does online.",
      tiers: [{ name: "LOW", when: condition(() => true) }],
      otherwise: "HIGH",
      when: null,
    },
    {
      name: "bigBalance",
      description: "Large balance.",
      tiers: [],
      otherwise: null,
      when: condition(() => true),
    },
  ],
  offers: [
    offer("presale", { trigger: { kind: "when", condition: condition(() => true) }, title: "Front row" }),
    offer("mortgage", { trigger: { kind: "when", condition: condition(() => true) } }),
  ],
};

/** A live row. */
export function row(at: string, values: Row["values"]): Row {
  return { at, live: true, values, origin: { topic: "t", partition: 0, offset: at } };
}

/** Customer number `n` of the bank: even ones are HIGH and in bigBalance, every one has a presale offer. */
export function customerOf(n: number): Customer {
  const customerId = String(n).padStart(3, "0");
  const high = n % 2 === 0;
  const since = { enteredMs: 1_000, because: "because" };
  return {
    ...newCustomer(customerId),
    revision: n + 1,
    tables: {
      register: {
        [`["${customerId}"]`]: row("5", {
          full_name: `Name ${n}`,
          birth_date: "1990-01-02",
          created_at: "2024-05-17T10:00:00.123456Z",
          score: n === 0 ? "NaN" : n / 2,
          tags: ["a", null],
          extra: '{"big":12345678901234567890}',
        }),
      },
      bank_accounts: {
        '["1"]': row("1", { id: "9007199254740993", balance: "1.00" }),
        '["2"]': row("3", { id: "2", balance: "2.00" }),
        '["3"]': row("2", { id: "3", balance: "3.00" }),
        '["4"]': { ...row("9", {}), live: false },
      },
    },
    notes: { card_transactions: { "2024-05": { revision: 1, totals: {}, liveRows: 3 } } },
    metrics: { spend_total: `${n}.50`, payments: 3 },
    segments: {
      engagement: { state: "IN", tier: high ? "HIGH" : "LOW", previousTier: null, ...since },
      bigBalance: { state: high ? "IN" : "OUT", tier: null, previousTier: null, ...since },
    },
    offers: {
      presale: {
        state: "TRIGGERED",
        triggeredMs: 2_000,
        expiresMs: 9_000,
        endedMs: null,
        because: "tickets",
      },
      ...(high
        ? {
            mortgage: {
              state: "EXPIRED",
              triggeredMs: 1_000,
              expiresMs: 2_000,
              endedMs: 2_000,
              because: "late",
            },
          }
        : {}),
    },
    freshness: { sourceMs: null, ingestedMs: 500, appliedMs: 1_500 },
  };
}

/** Reads over customers in memory that write down what they were asked for. */
export interface RecordingReads extends Reads {
  /** Names of the calls, in order. */
  readonly calls: string[];
}

/** Listings by customer id; a cursor is the id of the last one. */
export function recordingReads(all: readonly Customer[]): RecordingReads {
  const calls: string[] = [];
  const cut = <T>(
    items: readonly T[],
    page: { first: number; after: string | null },
    cursor: (item: T) => string,
  ): Listing<T> => {
    const rest = items.filter((item) => page.after === null || cursor(item) > page.after);
    return {
      items: rest.slice(0, page.first).map((item) => ({ item, cursor: cursor(item) })),
      hasNext: rest.length > page.first,
    };
  };
  return {
    calls,
    customers: async (ids) => {
      calls.push(`customers ${ids.length}`);
      return ids.map((id) => all.find((each) => each.customerId === id) ?? null);
    },
    listCustomers: async (query) => {
      calls.push("listCustomers");
      const { filter } = query;
      const found = all.filter((each) => filter === null || matches(filter, each));
      return cut(found, query, (each) => each.customerId);
    },
    countCustomers: async (filter) => {
      calls.push("countCustomers");
      return all.filter((each) => filter === null || matches(filter, each)).length;
    },
    listRows: async (query) => {
      calls.push("listRows");
      const rows = ["a", "b", "c"].map((key) => ({
        customerId: query.customerId,
        table: query.table,
        key,
        row: row(key, { amount: "1.00" }),
      }));
      return cut(rows, query, (each) => each.key);
    },
    listOffers: async (query) => {
      calls.push("listOffers");
      const offers = all.flatMap(({ customerId, offers: made }) =>
        Object.entries(made).map(([name, state]) => ({ customerId, offer: name, state })),
      );
      return cut(offers, query, (each) => `${each.customerId}/${each.offer}`);
    },
    listQuarantine: async (query) => {
      calls.push("listQuarantine");
      const bytes = new TextEncoder().encode('{"id":"ü"');
      const refused: readonly QuarantinedRecord[] = ["1", "2"].map((offset) => ({
        origin: { topic: "bank.register", partition: 0, offset },
        table: "register",
        refusal: { code: "unreadable", reason: "It ends early.", rules: [] },
        atMs: 1_000,
        key: null,
        value: { head: bytes, bytes: bytes.length },
      }));
      return cut(refused, query, (each) => each.origin.offset);
    },
    counts: async () => {
      calls.push("counts");
      return {
        tallies: [
          { table: "register", kind: "verdict", label: "blocked-by-delete", count: 2 },
          { table: "register", kind: "rule", label: "warn:name_present", count: 3 },
          { table: "register", kind: "conflict", label: "conflict", count: 4 },
        ],
        quarantined: [{ table: "register", code: "missing-key", count: 5 }],
        customers: all.length,
        members: [
          { segment: "engagement", tier: "HIGH", customers: 1 },
          { segment: "bigBalance", tier: "IN", customers: 1 },
        ],
      };
    },
  };
}

/** A context over so many customers of the bank. */
export function bankContext(count: number): Context & { readonly reads: RecordingReads } {
  const clock = manualClock();
  return {
    viewer: OPEN_VIEWER,
    plan: bank,
    reads: recordingReads(Array.from({ length: count }, (_, n) => customerOf(n))),
    hub: createHub({ updates: memoryUpdates(), clock, log: silentLog }),
    cursors: createCursors(new Uint8Array(32)),
    ingest: null,
    clock,
    log: silentLog,
    metrics: noMetrics,
  };
}
