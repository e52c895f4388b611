import type { Position, Values } from "../../cdc/change.ts";
import type { Customer, Page, Rows } from "../customer.ts";
import { standingIn } from "../derived/segments.ts";
import { headsBehind } from "../parts.ts";

/**
 * What must not depend on the order, repetition or batching of changes, as text with sorted names: live rows with their heads
 * (however pages hold them), what is remembered of all versions, metrics, where segments stand, and which offers are open.
 * Revisions, times, reasons, origins and outbox tell how a document came about, and are left out. Nothing is stored in this form:
 * it is what the tests compare documents by.
 */
export function canonical(customer: Customer, pages: readonly Page[]): string {
  const tables: Record<string, Record<string, CanonicalRow>> = {};
  for (const [table, rows] of Object.entries(customer.tables)) addRows(tables, table, rows);
  for (const { table, rows } of pages) addRows(tables, table, rows);
  const { customerId, history, crossings, metrics } = customer;
  const segments = mapped(customer.segments, standingIn);
  const open = Object.entries(customer.offers).filter(([, { state }]) => state === "TRIGGERED");
  const offers = open.map(([name]) => name).sort();
  return stableText({ customerId, tables, history, crossings, metrics, segments, offers });
}

interface CanonicalRow {
  readonly at: Position;
  readonly heads: Readonly<Record<string, Position>>;
  readonly values: Values;
}

function addRows(tables: Record<string, Record<string, CanonicalRow>>, table: string, rows: Rows): void {
  for (const [key, row] of Object.entries(rows)) {
    if (!row.live) continue;
    const live = (tables[table] ??= {});
    live[key] = { at: row.at, heads: headsBehind(row), values: row.values };
  }
}

function mapped<A, B>(record: Readonly<Record<string, A>>, map: (value: A) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, map(value)]));
}

/** JSON with the names of every object in order. */
function stableText(value: unknown): string {
  return JSON.stringify(value, (_name, part: unknown) =>
    part !== null && typeof part === "object" && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
      : part,
  );
}
