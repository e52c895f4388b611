import type { Value, Values } from "../cdc/change.ts";
import { sameValue } from "../cdc/values.ts";
import type { Customer, Rows } from "./customer.ts";
import { lookup, tableOf } from "./lookup.ts";
import type { Plan, RowMetric, Scope } from "./plan.ts";
import { NO_TOTAL, totalOfRows, valueOf } from "./totals.ts";

/** The row of a one-row table: should there be several, the one with the newest position. */
export function onlyRow(rows: Rows | undefined): Values | null {
  let newest: { at: string; key: string; values: Values } | null = null;
  for (const key in rows) {
    const row = rows[key];
    if (row === undefined || !row.live) continue;
    if (newest === null || row.at > newest.at || (row.at === newest.at && key > newest.key)) {
      newest = { at: row.at, key, values: row.values };
    }
  }
  return newest?.values ?? null;
}

/** The row of each one-row table, for conditions. */
export function scopeRows(customer: Customer, plan: Plan): Scope["rows"] {
  const rows: Record<string, Values | null> = {};
  for (const table of lookup(plan).oneRow) rows[table] = onlyRow(customer.tables[table]);
  return rows;
}

/**
 * The metrics of `after`. Those over tables that did not change since `before` are taken from it, and expressions as well when
 * nothing they can see changed. The very same object when every value is the same.
 */
export function deriveMetrics(before: Customer, after: Customer, plan: Plan): Customer["metrics"] {
  const known = before.metrics;
  const values: Record<string, Value> = {};
  let rows: Scope["rows"] | null = null;
  let changed = !sameOneRowTables(before, after, plan);
  let different = false;
  for (const metric of plan.metrics) {
    const old = known[metric.name];
    let value = old;
    if (metric.kind === "expression") {
      if (changed || old === undefined) {
        rows ??= scopeRows(after, plan);
        value = metric.evaluate({ metrics: values, rows, segments: {} });
      }
    } else if (old === undefined || hasMoved(metric, before, after, plan)) {
      value = rowMetric(metric, after, plan);
    }
    const settled = value ?? null;
    const same = old !== undefined && sameValue(old, settled);
    values[metric.name] = same ? old : settled;
    if (!same) changed = different = true;
  }
  return different || Object.keys(known).length !== plan.metrics.length ? values : known;
}

function rowMetric(metric: RowMetric, customer: Customer, plan: Plan): Value {
  if (metric.over === "history") return customer.history[metric.name] ?? null;
  const total = tableOf(plan, metric.table).paged
    ? (customer.totals[metric.table]?.[metric.name] ?? NO_TOTAL)
    : totalOfRows(metric, customer.tables[metric.table] ?? {});
  return valueOf(metric, total);
}

function hasMoved(metric: RowMetric, before: Customer, after: Customer, plan: Plan): boolean {
  if (metric.over === "history") return before.history !== after.history;
  return tableOf(plan, metric.table).paged
    ? before.totals[metric.table] !== after.totals[metric.table]
    : before.tables[metric.table] !== after.tables[metric.table];
}

/** True when every one-row table is the very same in both: then conditions that see rows see the same ones. */
export function sameOneRowTables(before: Customer, after: Customer, plan: Plan): boolean {
  return lookup(plan).oneRow.every((table) => before.tables[table] === after.tables[table]);
}
