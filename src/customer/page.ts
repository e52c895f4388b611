import type { PageChange } from "./applied.ts";
import type { Customer, Note, Page, Rows, Total, Totals } from "./customer.ts";
import { contribution, exchange, NO_TOTAL, totalOf, totalsOfRows } from "./derived/totals.ts";
import type { RowMetric } from "./plan.ts";

/** Rows with their keys, which a page without prototype gives only slowly. */
export interface KeyedRows {
  readonly rows: Rows;
  readonly keys: readonly string[];
}

/**
 * The page's next version, with its totals brought up to date from the rows that changed, each of which was loaded with the
 * page or is new to it; null when that takes the whole page and it is not loaded whole.
 */
export function turnPage(before: Page, changed: KeyedRows, metrics: readonly RowMetric[]): PageChange | null {
  const rows = merged(before.rows, changed.rows);
  const totals = turnTotals(before, changed, metrics) ?? (before.whole ? totalsOfRows(metrics, rows) : null);
  if (totals === null) return null;
  let { liveRows } = before;
  for (const key of changed.keys) {
    liveRows += Number(changed.rows[key]?.live ?? false) - Number(before.rows[key]?.live ?? false);
  }
  const { customerId, table, page, revision, whole } = before;
  const after: Page = { customerId, table, page, revision: revision + 1, totals, liveRows, rows, whole };
  return { before, after, rows: changed.rows };
}

function turnTotals(page: Page, { rows, keys }: KeyedRows, metrics: readonly RowMetric[]): Totals | null {
  const totals: Record<string, Total> = {};
  for (const { name } of metrics) totals[name] = page.totals[name] ?? NO_TOTAL;
  for (const key of keys) {
    const old = page.rows[key];
    const row = rows[key];
    for (const metric of metrics) {
      const total = exchange(metric, totals[metric.name] ?? NO_TOTAL, {
        out: old === undefined ? undefined : contribution(metric, key, old),
        in: row === undefined ? undefined : contribution(metric, key, row),
      });
      if (total === null) return null;
      totals[metric.name] = total;
    }
  }
  return totals;
}

/** A page loaded with nothing but new rows holds just those. */
function merged(rows: Rows, changed: Rows): Rows {
  for (const _ in rows) return Object.assign(Object.create(null), rows, changed);
  return changed;
}

/** What a customer keeps of its paged tables. */
export type Notes = Pick<Customer, "notes" | "totals">;

/** Notes a page's version; the very same object when that version, or a later one, was noted before. */
export function notePage(kept: Notes, page: Page, metrics: readonly RowMetric[]): Notes {
  const notes = kept.notes[page.table] ?? {};
  const known = notes[page.page];
  if (page.revision <= (known?.revision ?? 0)) return kept;
  const { revision, totals, liveRows } = page;
  const noted = { ...notes, [page.page]: { revision, totals, liveRows } };
  const table = isOnly(page.page, notes)
    ? totals
    : tableTotals(kept.totals[page.table], { known, noted, totals }, metrics);
  return {
    notes: { ...kept.notes, [page.table]: noted },
    totals: { ...kept.totals, [page.table]: table },
  };
}

interface Turned {
  readonly known: Note | undefined;
  readonly noted: Readonly<Record<string, Note>>;
  readonly totals: Totals;
}

/** A table's totals with one page's exchanged for its new ones. */
function tableTotals(
  before: Totals | undefined,
  { known, noted, totals }: Turned,
  metrics: readonly RowMetric[],
): Totals {
  const table: Record<string, Total> = {};
  for (const metric of metrics) {
    const { name } = metric;
    const parts = { out: known?.totals[name], in: totals[name] };
    table[name] =
      exchange(metric, before?.[name] ?? NO_TOTAL, parts) ?? totalOf(metric, totalsIn(noted, metric));
  }
  return table;
}

/** True when no other page is noted: then its totals are the table's. */
function isOnly(page: string, notes: Readonly<Record<string, Note>>): boolean {
  for (const name in notes) if (name !== page) return false;
  return true;
}

function totalsIn(notes: Readonly<Record<string, Note>>, metric: RowMetric): (Total | undefined)[] {
  return Object.values(notes).map((note) => note.totals[metric.name]);
}
