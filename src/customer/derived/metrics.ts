import type { Value, Values } from "../../cdc/change.ts";
import { sameValue } from "../../cdc/columns/values.ts";
import type { Customer, Row, Rows } from "../customer.ts";
import { countOf, type Lookup, lookup, type MetricLookup } from "../lookup.ts";
import type { Plan, Scope } from "../plan.ts";
import { NO_TOTAL, totalOfRows, valueOf } from "./totals.ts";

/** What values are derived from. */
export type Derivable = Pick<Customer, "tables" | "totals" | "history" | "crossings">;

/** The row of a one-row table: should there be several, the one with the newest position. */
export function newestRow(rows: Rows | undefined): { readonly key: string; readonly row: Row } | null {
  let newest: { readonly key: string; readonly row: Row } | null = null;
  for (const key in rows) {
    const row = rows[key];
    if (row?.live !== true) continue;
    const last = newest?.row.at ?? "";
    if (newest === null || row.at > last || (row.at === last && key > newest.key)) newest = { key, row };
  }
  return newest;
}

/** The values of the row of a one-row table. */
export function onlyRow(rows: Rows | undefined): Values | null {
  return newestRow(rows)?.row.values ?? null;
}

/** The row of each one-row table, for conditions. */
export function scopeRows({ tables }: Derivable, plan: Plan): Scope["rows"] {
  const rows: Record<string, Values | null> = {};
  for (const table of lookup(plan).oneRow) rows[table] = onlyRow(tables[table]);
  return rows;
}

/** True when every one-row table is the very same in both: then conditions that see rows see the same ones. */
export function sameOneRowTables(before: Derivable, after: Derivable, { oneRow }: Lookup): boolean {
  if (before.tables === after.tables) return true;
  for (const table of oneRow) if (before.tables[table] !== after.tables[table]) return false;
  return true;
}

/**
 * The metrics of `after`. Those over tables that did not change since `before` are taken from it, and expressions as well when
 * nothing they can see changed. The very same object when every value is the same.
 */
export function deriveMetrics(before: Customer, after: Derivable, plan: Plan): Customer["metrics"] {
  const { metrics: lookups } = lookup(plan);
  const known = countOf(before.metrics) === lookups.length ? before.metrics : NONE;
  let own: Record<string, Value> | null = null;
  let rows: Scope["rows"] | null = null;
  let seesChange = !sameOneRowTables(before, after, lookup(plan));
  for (const found of lookups) {
    const { name } = found.metric;
    const old = known[name];
    const isSettled = found.from === "metrics" ? !seesChange : !canHaveMoved(found, before, after);
    if (old !== undefined && isSettled) continue;
    if (found.from === "metrics") rows ??= scopeRows(after, plan);
    const value =
      found.from === "metrics"
        ? found.metric.evaluate({ metrics: own ?? known, rows: rows ?? {}, segments: {} })
        : compute(found, after);
    if (old !== undefined && sameValue(old, value)) continue;
    own ??= { ...known };
    own[name] = value;
    seesChange = true;
  }
  return own ?? known;
}

const NONE: Customer["metrics"] = Object.freeze({});

function compute({ from, metric }: RowLookup, customer: Derivable): Value {
  switch (from) {
    case "history":
      return customer.history[metric.name] ?? null;
    case "totals":
      return valueOf(metric, customer.totals[metric.table]?.[metric.name] ?? NO_TOTAL);
    case "tables":
      return valueOf(metric, totalOfRows(metric, customer.tables[metric.table] ?? {}));
  }
}

type RowLookup = Exclude<MetricLookup, { from: "metrics" }>;

function canHaveMoved({ from, metric }: RowLookup, before: Derivable, after: Derivable): boolean {
  if (from === "history") return before.history !== after.history;
  return before[from][metric.table] !== after[from][metric.table];
}
