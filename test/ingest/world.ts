import type { SourceRecord } from "../../src/cdc/change.ts";
import { systemClock, type Clock } from "../../src/clock.ts";
import { canonical } from "../../src/customer/values/canonical.ts";
import { NOBODY } from "../../src/customer/customer.ts";
import type { Plan } from "../../src/customer/plan.ts";
import { createPipeline } from "../../src/ingest/pipeline.ts";
import type { PipelineLimits } from "../../src/ingest/shell.ts";
import type { Source } from "../../src/ingest/source.ts";
import { silentLog } from "../../src/log.ts";
import type { Store } from "../../src/store/store.ts";
import type { Updates } from "../../src/updates/updates.ts";
import { column, metric, offer, table } from "../helpers/history-plan.ts";
import { textRecord } from "../helpers/memory-source.ts";
import { memorySource, type MemorySourceOptions } from "../helpers/memory-source.ts";
import { memoryStore, type MemoryStore } from "../helpers/memory-store.ts";
import { memoryUpdates, type MemoryUpdates } from "../helpers/memory-updates.ts";

const postgres = { kind: "log" } as const;

/** A bank in small: a profile that never moves, accounts and paged payments that do, a ledger of nameless lines. */
export const world: Plan = {
  name: "world",
  description: "",
  version: "1",
  tables: [
    table("profile", {
      key: ["customer_id"],
      rows: "one",
      sequence: postgres,
      columns: [column("customer_id", "text"), column("tickets", "int")],
    }),
    table("accounts", {
      sequence: postgres,
      columns: [
        column("id", "int"),
        column("customer_id", "text"),
        column("balance", "int"),
        column("note", "text"),
      ],
    }),
    table("payments", {
      sequence: postgres,
      storage: { kind: "paged", column: "posted_on", period: "month" },
      columns: [
        column("id", "int"),
        column("customer_id", "text"),
        column("amount", "int"),
        column("posted_on", "date"),
        column("note", "text"),
      ],
    }),
    table("ledger", {
      key: [],
      format: "flat",
      appendOnly: true,
      sequence: { kind: "columns", columns: ["at"] },
      columns: [column("customer_id", "text"), column("amount", "int"), column("at", "int")],
      expectations: [
        { name: "small", holds: ({ amount }) => Number(amount) < 1_000, action: "quarantine" },
        { name: "even", holds: ({ amount }) => Number(amount) % 2 === 0, action: "warn" },
        { name: "known", holds: ({ customer_id }) => customer_id !== "nobody", action: "drop" },
        { name: "sane", holds: ({ amount }) => amount !== -1, action: "fail" },
      ],
    }),
  ],
  metrics: [
    metric("mostTickets", { table: "profile", function: "max", column: "tickets", over: "history" }),
    metric("bestBalance", { table: "accounts", function: "max", column: "balance", over: "history" }),
    metric("balance", { table: "accounts", function: "sum", column: "balance" }),
    metric("spent", { table: "payments", function: "sum", column: "amount" }),
    metric("largest", { table: "payments", function: "max", column: "amount" }),
    metric("booked", { table: "ledger", function: "sum", column: "amount" }),
  ],
  segments: [],
  offers: [
    offer("fan", {
      trigger: {
        kind: "crosses",
        table: "profile",
        condition: ({ tickets }) => Number(tickets) >= 6,
        text: "tickets >= 6",
      },
      expiresAfterMs: 60_000,
    }),
  ],
};

/** One change of a row of `world`, before it has coordinates. */
export interface Sent {
  readonly table: "profile" | "accounts" | "payments";
  readonly op: "c" | "u" | "d" | "t";
  readonly lsn: number;
  /** The row as after (or for a delete before) the change. */
  readonly row: Readonly<Record<string, unknown>>;
}

/** A change as a Debezium PostgreSQL connector sends it, at an offset of its table's topic. */
export function record({ table: topic, op, lsn, row }: Sent, offset: number, partition = 0): SourceRecord {
  const source = { lsn, snapshot: "false", ts_ms: Date.UTC(2024, 0, 1) + lsn };
  const image =
    op === "t"
      ? { before: null, after: null }
      : op === "d"
        ? { before: row, after: null }
        : { before: null, after: row };
  return textRecord(
    { topic, partition, offset },
    JSON.stringify({ ...image, source, op, ts_ms: source.ts_ms }),
  );
}

/** A line of the ledger. */
export function line(customer: string | null, amount: number, offset: number, partition = 0): SourceRecord {
  return textRecord(
    { topic: "ledger", partition, offset },
    JSON.stringify({ customer_id: customer, amount, at: offset }),
  );
}

/** The ports of one world. */
export interface Ports {
  readonly store: Store;
  readonly updates: Updates;
  readonly source: Source;
}

/** Runs the pipeline until its source ends. */
export async function run(
  { store, updates, source }: Ports,
  options: { readonly clock?: Clock; readonly plan?: Plan; readonly limits?: Partial<PipelineLimits> } = {},
): Promise<void> {
  const { clock = systemClock, plan = world, limits = {} } = options;
  const pipeline = createPipeline({ plan, store, updates, source, clock, log: silentLog, limits });
  await pipeline.run(new AbortController().signal);
}

/** What came of records run through fresh ports. */
export interface Outcome {
  readonly store: MemoryStore;
  readonly updates: MemoryUpdates;
}

/** Runs records, in the order given within each partition, through a fresh store. */
export async function ingest(
  records: readonly SourceRecord[],
  options: MemorySourceOptions & { readonly limits?: Partial<PipelineLimits>; readonly plan?: Plan } = {},
): Promise<Outcome> {
  const store = memoryStore();
  const updates = memoryUpdates();
  const { plan = world, limits = {} } = options;
  await run({ store, updates, source: memorySource({ records }, options) }, { plan, limits });
  return { store, updates };
}

/** The canonical documents of everybody but NOBODY who ever had a live row, by customer id. */
export function documents({ store }: Pick<Outcome, "store">): Readonly<Record<string, string>> {
  const ids = [...store.documents.keys()].filter((id) => id !== NOBODY).sort();
  return Object.fromEntries(
    ids.flatMap((id) => {
      const customer = store.documents.get(id);
      return customer === undefined ? [] : [[id, canonical(customer, store.pagesOf(id))] as const];
    }),
  );
}

/** How many runs of a property: so many by default, more in proportion under `npm run test:long`. */
export function runs(byDefault: number): number {
  return Math.ceil((byDefault * Number(process.env.CUSTOMER360_HISTORIES ?? 20_000)) / 20_000);
}
