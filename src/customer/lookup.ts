import type { RowCondition, TablePlan } from "../cdc/table.ts";
import type { ExpressionMetric, Plan, RowMetric } from "./plan.ts";

/** What a change of one table concerns. */
export interface TableLookup {
  readonly table: TablePlan;
  readonly paged: boolean;
  /** Metrics over the table's live rows. */
  readonly metrics: readonly RowMetric[];
  /** Metrics over every version ever seen. */
  readonly history: readonly RowMetric[];
  /** Offers triggered by a row of the table crossing a condition. */
  readonly crossings: readonly { readonly offer: string; readonly condition: RowCondition }[];
}

/** A metric with the part of a customer that it is computed from. */
export type MetricLookup =
  | { readonly from: "tables" | "totals" | "history"; readonly metric: RowMetric }
  | { readonly from: "metrics"; readonly metric: ExpressionMetric };

/** A plan arranged for the path of a change. */
export interface Lookup {
  readonly tables: ReadonlyMap<string, TableLookup>;
  readonly metrics: readonly MetricLookup[];
  /** Names of the tables whose row is part of a condition's scope. */
  readonly oneRow: readonly string[];
}

const lookups = new WeakMap<Plan, Lookup>();

/** Arranges a plan by table, once per plan. */
export function lookup(plan: Plan): Lookup {
  const known = lookups.get(plan);
  if (known !== undefined) return known;
  const made = arrange(plan);
  lookups.set(plan, made);
  return made;
}

/** A table of the plan by name. Throws for a name the plan does not have: changes are made from the plan. */
export function tableOf(plan: Plan, name: string): TableLookup {
  const found = lookup(plan).tables.get(name);
  if (found === undefined) throw new Error(`no table ${name} in pipeline ${plan.name}`);
  return found;
}

/** How many names a record has, without listing them. */
export function countOf(record: Readonly<Record<string, unknown>>): number {
  let count = 0;
  for (const _ in record) count++;
  return count;
}

function arrange(plan: Plan): Lookup {
  const tables = new Map(plan.tables.map((table) => [table.name, arrangeTable(plan, table)]));
  const metrics = plan.metrics.map((metric): MetricLookup => {
    if (metric.kind === "expression") return { from: "metrics", metric };
    if (metric.over === "history") return { from: "history", metric };
    return { from: tables.get(metric.table)?.paged === true ? "totals" : "tables", metric };
  });
  const oneRow = plan.tables.filter(({ rows, storage }) => rows === "one" && storage.kind === "inline");
  return { tables, metrics, oneRow: oneRow.map(({ name }) => name) };
}

function arrangeTable(plan: Plan, table: TablePlan): TableLookup {
  const metrics = plan.metrics.flatMap((metric) =>
    metric.kind === "rows" && metric.table === table.name ? [metric] : [],
  );
  const crossings = plan.offers.flatMap(({ name: offer, trigger }) =>
    trigger.kind === "crosses" && trigger.table === table.name
      ? [{ offer, condition: trigger.condition }]
      : [],
  );
  return {
    table,
    paged: table.storage.kind === "paged",
    metrics: metrics.filter(({ over }) => over === "current"),
    history: metrics.filter(({ over }) => over === "history"),
    crossings,
  };
}
