import type { Change } from "../cdc/change.ts";
import type { PageChange } from "./applied.ts";
import { announce } from "./apply.ts";
import { type Customer, newCustomer, NOBODY, type Page, type Totals } from "./customer.ts";
import { derive } from "./derive.ts";
import { totalOf, totalsOfRows } from "./derived/totals.ts";
import { lookup, type TableLookup } from "./lookup.ts";
import type { Plan } from "./plan.ts";
import { type Memory, remember } from "./versions.ts";

/** What a customer's rows come to under another plan. */
export interface Rederived {
  /** The very same object when nothing stored differs. */
  readonly customer: Customer;
  readonly pages: readonly PageChange[];
}

/** How to derive anew. */
export interface Rederiving {
  readonly plan: Plan;
  readonly nowMs: number;
  /** Metrics over history and offers on a crossing whose memory stays good; that of others begins with the rows at hand. */
  readonly kept: ReadonlySet<string>;
}

/**
 * Derives everything of a customer from its rows alone: page totals from whole pages (all of them are given), memory as far as it
 * is kept, metrics, segments and offers. Where segments stood and which offers were made is history, and stays.
 */
export function rederive(
  before: Customer,
  pages: readonly Page[],
  { plan, nowMs, kept }: Rederiving,
): Rederived {
  const changes = pages.flatMap((page) => turned(page, plan));
  const current = pages.map((page) => changes.find((change) => change.before === page)?.after ?? page);
  const { notes, totals } = noted(current, plan);
  const memory = recall(before, kept, plan);
  const rows = { tables: before.tables, totals, ...memory };
  const unknown = { ...newCustomer(before.customerId), segments: before.segments, offers: before.offers };
  const derived =
    before.customerId === NOBODY
      ? before
      : derive({ ...unknown, dueMs: before.dueMs }, rows, { plan, nowMs });
  const { metrics, segments, offers, dueMs } = derived;
  const after: Customer = {
    ...before,
    revision: before.revision + 1,
    notes,
    ...rows,
    metrics,
    segments,
    offers,
    dueMs,
  };
  if (changes.length === 0 && isSame(before, after)) return { customer: before, pages: [] };
  const ahead = pages.filter(({ table, page, revision }) => revision > revisionNoted(before, table, page));
  const pagedTables = [...new Set(ahead.map(({ table }) => table))];
  const customer =
    before.customerId === NOBODY ? after : announce(before, after, { pagedTables, judged: [], nowMs });
  return { customer, pages: changes };
}

function revisionNoted({ notes }: Customer, table: string, page: string): number {
  return notes[table]?.[page]?.revision ?? 0;
}

/** The page's next version, when its totals differ. */
function turned(before: Page, plan: Plan): readonly PageChange[] {
  const metrics = lookup(plan).tables.get(before.table)?.metrics ?? [];
  const totals = totalsOfRows(metrics, before.rows);
  if (JSON.stringify(sorted(totals)) === JSON.stringify(sorted(before.totals))) return [];
  return [{ before, after: { ...before, revision: before.revision + 1, totals }, rows: {} }];
}

function sorted(totals: Totals): readonly (readonly [string, unknown])[] {
  return Object.entries(totals).sort(([a], [b]) => (a < b ? -1 : 1));
}

function noted(pages: readonly Page[], plan: Plan): Pick<Customer, "notes" | "totals"> {
  const notes: Record<string, Record<string, Customer["notes"][string][string]>> = {};
  const totals: Record<string, Totals> = {};
  for (const { table, page, revision, totals: own, liveRows } of pages)
    (notes[table] ??= {})[page] = { revision, totals: own, liveRows };
  for (const [table, all] of Object.entries(notes)) {
    const metrics = lookup(plan).tables.get(table)?.metrics ?? [];
    const parts = Object.values(all);
    totals[table] = Object.fromEntries(
      metrics.map((metric) => [
        metric.name,
        totalOf(
          metric,
          parts.map((note) => note.totals[metric.name]),
        ),
      ]),
    );
  }
  return { notes, totals };
}

/** What is remembered of versions: the kept part as it is, the rest from the rows at hand. */
function recall(customer: Customer, kept: ReadonlySet<string>, plan: Plan): Memory {
  let memory: Memory = { history: only(customer.history, kept), crossings: only(customer.crossings, kept) };
  for (const table of lookup(plan).tables.values()) {
    const begun: TableLookup = {
      ...table,
      history: table.history.filter(({ name }) => !kept.has(name)),
      crossings: table.crossings.filter(({ offer }) => !kept.has(offer)),
    };
    for (const change of versions(customer, table)) memory = remember(memory, change, begun);
  }
  return memory;
}

/** The live rows of an inline table as the changes they stand for. */
function versions(
  { customerId, tables }: Customer,
  { table: { name: table } }: TableLookup,
): readonly Change[] {
  return Object.entries(tables[table] ?? {}).flatMap(([key, { live, at, values, origin }]) =>
    live
      ? [
          {
            ...({ table, op: "upsert", key, customerId, page: null, position: at, set: values } as const),
            partial: false,
            origin,
            sourceMs: null,
            ingestedMs: 0,
          },
        ]
      : [],
  );
}

function only<T>(record: Readonly<Record<string, T>>, names: ReadonlySet<string>): Record<string, T> {
  return Object.fromEntries(Object.entries(record).filter(([name]) => names.has(name)));
}

const PARTS = ["notes", "totals", "history", "crossings", "metrics", "dueMs"] as const;

function isSame(before: Customer, after: Customer): boolean {
  return (
    before.segments === after.segments &&
    before.offers === after.offers &&
    PARTS.every((part) => JSON.stringify(before[part]) === JSON.stringify(after[part]))
  );
}
