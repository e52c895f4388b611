import type { RowCondition, TablePlan } from "../cdc/table.ts";
import type { Plan, RowMetric } from "./plan.ts";

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

/** A plan arranged for the path of a change. */
export interface Lookup {
  readonly tables: ReadonlyMap<string, TableLookup>;
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

function arrange(plan: Plan): Lookup {
  const tables = plan.tables.map((table): [string, TableLookup] => {
    const metrics = plan.metrics.filter((metric) => metric.kind === "rows" && metric.table === table.name);
    const overRows = metrics as readonly RowMetric[];
    return [
      table.name,
      {
        table,
        paged: table.storage.kind === "paged",
        metrics: overRows.filter(({ over }) => over === "current"),
        history: overRows.filter(({ over }) => over === "history"),
        crossings: crossingsOf(plan, table.name),
      },
    ];
  });
  const oneRow = plan.tables.filter(({ rows, storage }) => rows === "one" && storage.kind === "inline");
  return { tables: new Map(tables), oneRow: oneRow.map(({ name }) => name) };
}

function crossingsOf(plan: Plan, table: string): TableLookup["crossings"] {
  return plan.offers.flatMap(({ name, trigger }) =>
    trigger.kind === "crosses" && trigger.table === table
      ? [{ offer: name, condition: trigger.condition }]
      : [],
  );
}
