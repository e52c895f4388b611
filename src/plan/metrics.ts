import type { ColumnPlan, ColumnType } from "../cdc/table.ts";
import type {
  ExpressionMetric,
  MetricFunction,
  MetricPlan,
  MetricType,
  RowMetric,
} from "../customer/plan.ts";
import { AnyFields, mayBeBroken, rootsOf, settle, withBroken } from "./building.ts";
import type { Building, Fields } from "./building.ts";
import { rowCondition, valueExpression } from "./cel/conditions.ts";
import { ANYTHING, fieldOf } from "./cel/kinds.ts";
import type { Field } from "./cel/kinds.ts";
import { suggestion } from "./faults.ts";
import type { MetricEntry } from "./file.ts";
import type { BuiltTable } from "./tables.ts";

const FUNCTIONS = ["count", "sum", "min", "max", "average", "distinct", "latest"] as const;
const NUMBERS: readonly ColumnType[] = ["int", "bigint", "decimal", "float"];
const UNORDERED: readonly ColumnType[] = ["json", "bytes", "boolean"];
/** Digits an average has beyond those of its column. */
const AVERAGE_DIGITS = 2;

/** What metrics are made from, and what they leave behind for conditions. */
export interface MetricsOutcome {
  readonly plans: readonly MetricPlan[];
  readonly fields: Fields;
}

/** Compiles the metrics: those over rows in file order, then expressions, each after the ones it uses. */
export function metrics(
  building: Building,
  tables: ReadonlyMap<string, BuiltTable>,
  scope: readonly (readonly [string, Fields])[],
): MetricsOutcome {
  const entries = Object.entries(building.file.metrics ?? {});
  const rows = new Map<string, RowMetric>();
  const fields = new Map<string, Field>();
  for (const [name, entry] of entries) {
    const plan = entry.expression === undefined ? rowMetric(building, { name, entry }, tables) : null;
    if (plan !== null) rows.set(name, plan);
    const type = plan?.type ?? (entry.expression === undefined ? undefined : entry.type);
    fields.set(name, type === undefined ? ANYTHING : fieldOf(type));
  }
  const known = withBroken(building, "metrics", fields);
  const roots = rootsOf([["metrics", known], ...scope]);
  const expressions = new Map<string, Expression>();
  for (const [name, entry] of entries) {
    if (entry.expression === undefined) continue;
    const { type, scale } = expressionType(building, { name, entry });
    const compiled = settle(
      building,
      ["metrics", name, "expression"],
      valueExpression(entry.expression, roots, { type, scale }),
    );
    if (compiled === null) continue;
    const plan: ExpressionMetric = {
      kind: "expression",
      name,
      description: entry.description ?? "",
      type,
      scale,
      evaluate: compiled.evaluate,
    };
    const uses = compiled.reads.filter(({ root }) => root === "metrics").map((read) => read.name);
    expressions.set(name, { plan, uses });
  }
  return { plans: [...rows.values(), ...ordered(building, expressions)], fields: known };
}

interface Named {
  readonly name: string;
  readonly entry: MetricEntry;
}

interface Expression {
  readonly plan: ExpressionMetric;
  readonly uses: readonly string[];
}

function rowMetric(
  building: Building,
  { name, entry }: Named,
  tables: ReadonlyMap<string, BuiltTable>,
): RowMetric | null {
  const given = FUNCTIONS.filter((one) => entry[one] !== undefined);
  const [chosen] = given;
  const path = ["metrics", name];
  if (chosen === undefined || given.length > 1) {
    const found = given.length === 0 ? "it has none" : `it has ${given.join(" and ")}`;
    building.report.atKey(
      path,
      `a metric has exactly one of ${FUNCTIONS.join(", ")} or expression; ${found}`,
    );
    return null;
  }
  if (entry.type !== undefined)
    building.report.atKey(
      [...path, "type"],
      '"type" is for expressions; this metric takes the type of its column',
    );
  const table = tableOf(building, { name, entry }, tables);
  if (table === null) return null;
  const filter =
    entry.where === undefined
      ? null
      : settle(building, [...path, "where"], rowCondition(entry.where, table.roots));
  const base = {
    kind: "rows",
    name,
    description: entry.description ?? "",
    table: table.plan.name,
    function: chosen,
    filter,
  } as const;
  const over = history(building, { name, entry }, table);
  const column = chosen === "count" ? null : columnOf(building, { name, entry, chosen }, table);
  if (chosen === "count") return { ...base, type: "int", column: null, over, scale: 0 };
  if (column === null) return null;
  const type = resultType(chosen, column.type);
  return {
    ...base,
    type,
    column: column.name,
    over,
    scale: type === "decimal" ? scaleOf(building, { name, entry, chosen }, column) : 0,
  };
}

function tableOf(
  building: Building,
  { name, entry }: Named,
  tables: ReadonlyMap<string, BuiltTable>,
): BuiltTable | null {
  const path = ["metrics", name];
  const wanted = entry.table;
  if (wanted === undefined) {
    building.report.atKey(path, `metric "${name}" names no table${suggestion("", tables.keys())}`);
    return null;
  }
  const table = tables.get(wanted);
  if (table === undefined && !mayBeBroken(building, "tables", wanted)) {
    building.report.at(
      [...path, "table"],
      `"${wanted}" is no declared table${suggestion(wanted, tables.keys())}`,
    );
  }
  return table ?? null;
}

function history(building: Building, { name, entry }: Named, table: BuiltTable): "current" | "history" {
  if (entry.over !== "history") return "current";
  const path = ["metrics", name, "over"];
  if (entry.min === undefined && entry.max === undefined)
    building.report.at(path, "over: history goes with min and max only");
  if (table.plan.storage.kind === "paged")
    building.report.at(path, `over: history needs a table that is not paged, and "${table.plan.name}" is`);
  return "history";
}

type ColumnFunction = Exclude<MetricFunction, "count">;

interface OverColumn extends Named {
  readonly chosen: ColumnFunction;
}

function columnOf(
  building: Building,
  { name, entry, chosen }: OverColumn,
  table: BuiltTable,
): ColumnPlan | null {
  const wanted = entry[chosen] ?? "";
  const path = ["metrics", name, chosen];
  const column = table.plan.columns.find((one) => one.name === wanted);
  if (column === undefined) {
    if (mayBeBroken(building, `tables.${table.plan.name}.columns`, wanted)) return null;
    const known = table.plan.columns.map((one) => one.name);
    building.report.at(path, `"${wanted}" is no column of ${table.plan.name}${suggestion(wanted, known)}`);
    return null;
  }
  if (building.broken.has(`tables.${table.plan.name}.columns.${wanted}`)) return null;
  const numeric = chosen === "sum" || chosen === "average";
  const possible = numeric
    ? NUMBERS.includes(column.type)
    : chosen === "distinct" || chosen === "latest" || !UNORDERED.includes(column.type);
  if (possible && !column.list) return column;
  building.report.at(path, `there is no ${chosen} of ${column.list ? "a list" : column.type}`);
  return null;
}

/** Sums of integers may pass 32 bits, so they are bigint; an average has digits after the point, so it is decimal. */
function resultType(chosen: ColumnFunction, column: ColumnType): MetricType {
  if (chosen === "distinct") return "int";
  if (chosen === "average") return column === "float" ? "float" : "decimal";
  if (chosen === "sum" && column === "int") return "bigint";
  switch (column) {
    case "int":
    case "bigint":
    case "decimal":
    case "float":
    case "boolean":
    case "timestamp":
      return column;
    default:
      return "text";
  }
}

function scaleOf(building: Building, { name, entry, chosen }: OverColumn, column: ColumnPlan): number {
  if (entry.scale !== undefined) return entry.scale;
  const scale = column.type === "decimal" ? column.scale : 0;
  if (scale !== null) return chosen === "average" ? scale + AVERAGE_DIGITS : scale;
  if (chosen === "sum" || chosen === "average") {
    building.report.atKey(
      ["metrics", name],
      `column "${column.name}" has no scale, so say with \`scale:\` how many digits the ${chosen} has`,
    );
  }
  return 0;
}

function expressionType(building: Building, { name, entry }: Named): { type: MetricType; scale: number } {
  const path = ["metrics", name];
  for (const other of [...FUNCTIONS, "table", "where", "over"] as const) {
    if (entry[other] !== undefined)
      building.report.atKey([...path, other], `"${other}" does not go with expression`);
  }
  if (entry.type === undefined)
    building.report.atKey(path, `metric "${name}" needs a type, as every expression does`);
  if (entry.type === "decimal" && entry.scale === undefined) {
    building.report.atKey(path, `metric "${name}" is decimal, so say with \`scale:\` how many digits it has`);
  }
  return { type: entry.type ?? "text", scale: entry.type === "decimal" ? (entry.scale ?? 0) : 0 };
}

/** Expressions, each after the ones it uses; a circle is a fault that names its members. */
function ordered(building: Building, expressions: ReadonlyMap<string, Expression>): ExpressionMetric[] {
  const done = new Map<string, ExpressionMetric>();
  const visit = (name: string, trail: readonly string[]): void => {
    const expression = expressions.get(name);
    if (expression === undefined || done.has(name)) return;
    if (trail.includes(name)) {
      const circle = [...trail.slice(trail.indexOf(name)), name].join(" needs ");
      building.report.at(["metrics", name, "expression"], `metrics go in a circle: ${circle}`);
      return;
    }
    for (const used of expression.uses) visit(used, [...trail, name]);
    done.set(name, expression.plan);
  };
  for (const name of expressions.keys()) visit(name, []);
  return [...done.values()];
}

/** The columns of every one-row table under the table's name, for conditions over a customer. */
export function oneRowTables(
  building: Building,
  tables: ReadonlyMap<string, BuiltTable>,
): readonly (readonly [string, Fields])[] {
  const whole = [...tables.values()]
    .filter(({ plan }) => plan.rows === "one")
    .map(({ plan, fields }) => [plan.name, fields] as const);
  const broken = [...building.broken]
    .filter((path) => /^tables\.\w+$/.test(path))
    .map((path) => [path.slice(7), new AnyFields()] as const);
  return [...whole, ...broken];
}
