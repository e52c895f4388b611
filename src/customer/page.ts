import type { Customer, Note, Page, Row, Rows, Total, Totals } from "./customer.ts";
import type { PageChange } from "./apply.ts";
import { contribution, exchange, NO_TOTAL, totalOf, totalsOfRows } from "./totals.ts";
import type { RowMetric } from "./plan.ts";

/** Rows of a page as folded; every key was loaded with the page, or is new to it. */
export type ChangedRows = ReadonlyMap<string, Row>;

/** The page's next version with its totals brought up to date; null when that takes the whole page and it is not loaded whole. */
export function turnPage(
  before: Page,
  changed: ChangedRows,
  metrics: readonly RowMetric[],
): PageChange | null {
  const rows = Object.fromEntries(changed);
  const all: Rows = { ...before.rows, ...rows };
  const totals = turnTotals(before, changed, metrics) ?? (before.whole ? totalsOfRows(metrics, all) : null);
  if (totals === null) return null;
  let liveRows = before.liveRows;
  for (const [key, row] of changed) {
    liveRows += Number(row.live) - Number(before.rows[key]?.live ?? false);
  }
  const { customerId, table, page, revision, whole } = before;
  const after: Page = { customerId, table, page, revision: revision + 1, totals, liveRows, rows: all, whole };
  return { before, after, rows };
}

function turnTotals(page: Page, changed: ChangedRows, metrics: readonly RowMetric[]): Totals | null {
  const totals: Record<string, Total> = {};
  for (const metric of metrics) {
    let total: Total | null = page.totals[metric.name] ?? NO_TOTAL;
    for (const [key, row] of changed) {
      const old = page.rows[key];
      total = exchange(metric, total, {
        out: old === undefined ? undefined : contribution(metric, key, old),
        in: contribution(metric, key, row),
      });
      if (total === null) return null;
    }
    totals[metric.name] = total;
  }
  return totals;
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
  const table: Record<string, Total> = {};
  for (const metric of metrics) {
    table[metric.name] =
      exchange(metric, kept.totals[page.table]?.[metric.name] ?? NO_TOTAL, {
        out: known?.totals[metric.name],
        in: totals[metric.name],
      }) ?? totalOf(metric, totalsIn(noted, metric));
  }
  return {
    notes: { ...kept.notes, [page.table]: noted },
    totals: { ...kept.totals, [page.table]: table },
  };
}

function totalsIn(notes: Readonly<Record<string, Note>>, metric: RowMetric): (Total | undefined)[] {
  return Object.values(notes).map((note) => note.totals[metric.name]);
}
