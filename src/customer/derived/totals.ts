import type { Value } from "../../cdc/change.ts";
import { canonicalText } from "../../cdc/columns/values.ts";
import type { Row, Rows, Total, Totals } from "../customer.ts";
import type { MetricType, RowMetric } from "../plan.ts";
import { COMPARED_AS, compareText, compareValues } from "../values/compare.ts";
import { addUnits, fromUnits, meanUnits, scaled, subtractUnits } from "../values/decimal.ts";

/**
 * The arithmetic of metrics over rows. One row's contribution, the total of a page and the total of a table are all a `Total`:
 * totals of parts merge into the total of the whole, and a part is exchanged for its next version without looking at the others,
 * except when an extreme leaves: then the whole has to be counted again.
 */

/** Digits after the point kept of a float in a sum; floats are summed as decimals, so that order does not matter. */
const FLOAT_SCALE = 9;

/** The total over no rows. */
export const NO_TOTAL: Total = Object.freeze({ count: 0 });

function scaleOf(metric: RowMetric): number {
  return metric.type === "float" ? FLOAT_SCALE : metric.type === "decimal" ? metric.scale : 0;
}

/** What one row adds to a metric; undefined for nothing. */
export function contribution(metric: RowMetric, key: string, row: Row): Total | undefined {
  if (!row.live || (metric.filter !== null && !metric.filter(row.values))) return undefined;
  if (metric.column === null) return ONE;
  const value = row.values[metric.column] ?? null;
  if (metric.function === "latest") return { count: 1, latest: { at: row.at, key, value } };
  if (value === null) return undefined;
  switch (metric.function) {
    case "count":
      return ONE;
    case "sum":
    case "average": {
      const amount = typeof value === "number" ? value : String(value);
      const sum = scaled(amount, scaleOf(metric));
      return sum === null ? undefined : { count: 1, sum };
    }
    case "min":
      return isComparable(metric, value) ? { count: 1, min: value } : undefined;
    case "max":
      return isComparable(metric, value) ? { count: 1, max: value } : undefined;
    case "distinct":
      return { count: 1, values: { [JSON.stringify(value)]: 1 } };
  }
}

/** False for what has no place among other values, such as NaN. */
function isComparable(metric: RowMetric, value: Value): boolean {
  return compareValues(value, value, COMPARED_AS[metric.type]) !== null;
}

const ONE: Total = Object.freeze({ count: 1 });

/**
 * The total with one part's old contribution taken out and its new one put in; undefined for "nothing" in both.
 * Null when that cannot be told without looking at all the other parts.
 */
export function exchange(
  metric: RowMetric,
  total: Total,
  { out, in: put }: { readonly out: Total | undefined; readonly in: Total | undefined },
): Total | null {
  if (out === undefined && put === undefined) return total;
  const count = total.count - (out?.count ?? 0) + (put?.count ?? 0);
  if (count === 0) return NO_TOTAL;
  switch (metric.function) {
    case "count":
      return { count };
    case "sum":
    case "average": {
      const less = out?.sum === undefined ? (total.sum ?? "0") : subtractUnits(total.sum ?? "0", out.sum);
      return { count, sum: put?.sum === undefined ? less : addUnits(less, put.sum) };
    }
    case "distinct":
      return { count, values: exchangeValues(total.values ?? {}, out?.values ?? {}, put?.values ?? {}) };
    case "min":
    case "max":
    case "latest":
      return exchangeExtreme(metric, { total, out, put, count });
  }
}

function exchangeExtreme(
  metric: RowMetric,
  { total, out, put, count }: { total: Total; out: Total | undefined; put: Total | undefined; count: number },
): Total | null {
  const leaves = has(out) && !beyond(metric, total, out);
  if (!leaves) return { ...outermost(metric, total, put), count };
  return has(put) && !beyond(metric, out, put) ? { ...put, count } : null;
}

/** True when a total says anything about extremes. */
function has(total: Total | undefined): total is Total {
  return total !== undefined && total.count > 0;
}

/** The one of two totals that holds the extreme. */
function outermost(metric: RowMetric, a: Total, b: Total | undefined): Total {
  return !has(b) ? a : !has(a) || beyond(metric, b, a) ? b : a;
}

/** True when the extreme of `a` lies strictly beyond that of `b`. */
function beyond(metric: RowMetric, a: Total, b: Total): boolean {
  switch (metric.function) {
    case "min":
      return orderOf(metric, a.min ?? null, b.min ?? null) < 0;
    case "max":
      return orderOf(metric, a.max ?? null, b.max ?? null) > 0;
    case "latest":
      return isLater(a.latest, b.latest);
    case "count":
    case "sum":
    case "average":
    case "distinct":
      return false;
  }
}

/** By size; equal values written differently by their text, so that the order of arrival cannot show. */
function orderOf(metric: RowMetric, a: Value, b: Value): number {
  return compareValues(a, b, COMPARED_AS[metric.type]) || compareText(canonicalText(a), canonicalText(b));
}

function isLater(a: Total["latest"], b: Total["latest"]): boolean {
  if (a === undefined || b === undefined) return b === undefined && a !== undefined;
  return a.at === b.at ? compareText(a.key, b.key) > 0 : a.at > b.at;
}

type ValueCounts = Readonly<Record<string, number>>;

function exchangeValues(total: ValueCounts, out: ValueCounts, put: ValueCounts): ValueCounts {
  const counts: Record<string, number> = { ...total };
  for (const [value, count] of Object.entries(put)) counts[value] = (counts[value] ?? 0) + count;
  for (const [value, count] of Object.entries(out)) {
    const left = (counts[value] ?? 0) - count;
    if (left > 0) counts[value] = left;
    else delete counts[value];
  }
  return counts;
}

/** The total of many parts. */
export function totalOf(metric: RowMetric, parts: Iterable<Total | undefined>): Total {
  let total = NO_TOTAL;
  for (const part of parts) total = exchange(metric, total, { out: undefined, in: part }) ?? total;
  return total;
}

/** A metric's total over rows, from scratch. */
export function totalOfRows(metric: RowMetric, rows: Rows): Total {
  let total = NO_TOTAL;
  for (const key in rows) {
    const row = rows[key];
    if (row === undefined) continue;
    total = exchange(metric, total, { out: undefined, in: contribution(metric, key, row) }) ?? total;
  }
  return total;
}

/** The totals of several metrics over rows, from scratch. */
export function totalsOfRows(metrics: readonly RowMetric[], rows: Rows): Totals {
  return Object.fromEntries(metrics.map((metric) => [metric.name, totalOfRows(metric, rows)]));
}

/** What a metric says, given its total. Sums over no rows are zero; means and extremes over no rows are null. */
export function valueOf(metric: RowMetric, total: Total): Value {
  switch (metric.function) {
    case "count":
      return counted(metric.type, total.count);
    case "distinct":
      return counted(metric.type, Object.keys(total.values ?? {}).length);
    case "sum":
      return inType(metric.type, fromUnits(total.sum ?? "0", scaleOf(metric)));
    case "average":
      if (total.sum === undefined) return null;
      return inType(metric.type, fromUnits(meanUnits(total.sum, total.count), scaleOf(metric)));
    case "min":
      return total.min ?? null;
    case "max":
      return total.max ?? null;
    case "latest":
      return total.latest?.value ?? null;
  }
}

function counted(type: MetricType, count: number): Value {
  return type === "int" || type === "float" ? count : String(count);
}

/** A computed number in the stored form of its type. */
function inType(type: MetricType, text: string): Value {
  return type === "int" || type === "float" ? Number(text) : text;
}
