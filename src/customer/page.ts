import type { Customer, Note, Page, Rows, Total, Totals } from "./customer.ts";
import type { PageChange } from "./applied.ts";
import { contribution, exchange, NO_TOTAL, totalOf, totalsOfRows } from "./totals.ts";
import type { RowMetric } from "./plan.ts";

/**
 * The page's next version, with its totals brought up to date from the rows that changed, each of which was loaded with the
 * page or is new to it; null when that takes the whole page and it is not loaded whole.
 */
export function turnPage(before: Page, changed: Rows, metrics: readonly RowMetric[]): PageChange | null {
  const rows = merged(before.rows, changed);
  const totals = turnTotals(before, changed, metrics) ?? (before.whole ? totalsOfRows(metrics, rows) : null);
  if (totals === null) return null;
  let { liveRows } = before;
  for (const key in changed) {
    liveRows += Number(changed[key]?.live ?? false) - Number(before.rows[key]?.live ?? false);
  }
  const { customerId, table, page, revision, whole } = before;
  const after: Page = { customerId, table, page, revision: revision + 1, totals, liveRows, rows, whole };
  return { before, after, rows: changed };
}

function turnTotals(page: Page, changed: Rows, metrics: readonly RowMetric[]): Totals | null {
  const totals: Record<string, Total> = {};
  for (const metric of metrics) {
    let total: Total | null = page.totals[metric.name] ?? NO_TOTAL;
    for (const key in changed) {
      const old = page.rows[key];
      const row = changed[key];
      total = exchange(metric, total, {
        out: old === undefined ? undefined : contribution(metric, key, old),
        in: row === undefined ? undefined : contribution(metric, key, row),
      });
      if (total === null) return null;
    }
    totals[metric.name] = total;
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
