import type { Value } from "../cdc/change.ts";
import type { TablePlan } from "../cdc/table.ts";
import type { Customer } from "../customer/customer.ts";
import { onlyRow } from "../customer/derived/metrics.ts";
import { standingIn } from "../customer/derived/segments.ts";
import { countLive } from "../customer/live-rows.ts";
import type { Plan } from "../customer/plan.ts";
import { COMPARED_AS, type ComparedAs, instantKey } from "../customer/values/compare.ts";
import type { FieldRef } from "../customer/values/filter.ts";
import { decimalKey, storedText } from "./stored-text.ts";

/** One thing about a customer that lists are filtered and ordered by: a metric, a column of a one-row table, a segment's tier. */
export interface Fact {
  /** Its column in the table `facts`. */
  readonly column: string;
  /** `metric:balance`, `column:patterns.date`, `segment:engagement`, `rows:accounts`. */
  readonly name: string;
  readonly as: ComparedAs;
}

/** The fact with a name, or null where the pipeline declares none. */
export type FindFact = (name: string) => Fact | null;

/** Finds the facts of a pipeline by their names. */
export function findFact(groups: readonly FactGroup[]): FindFact {
  const known = new Map(groups.flatMap(({ facts }) => facts.map((fact) => [fact.name, fact] as const)));
  return (name) => known.get(name) ?? null;
}

/** The fact with a name. A missing one is a bug: schema and store are built from the same pipeline. */
export function requireFact(find: FindFact, name: string): Fact {
  const fact = find(name);
  if (fact === null) throw new Error(`the pipeline declares no ${name} to filter or order by`);
  return fact;
}

/** Facts read from the same part of a document: when that part is the same object, none of them changed. */
export interface FactGroup {
  readonly facts: readonly Fact[];
  readonly part: (customer: Customer) => object | undefined;
  readonly values: (customer: Customer) => readonly (Value | undefined)[];
}

/** The facts a pipeline declares. */
export function factsOf(plan: Plan): readonly FactGroup[] {
  let count = 0;
  const fact = (name: string, as: ComparedAs): Fact => ({ column: `f${count++}`, name, as });
  const metrics: FactGroup = {
    facts: plan.metrics.map(({ name, type }) => fact(`metric:${name}`, COMPARED_AS[type])),
    part: (customer) => customer.metrics,
    values: (customer) => plan.metrics.map(({ name }) => customer.metrics[name]),
  };
  const segments: FactGroup = {
    facts: plan.segments.map(({ name }) => fact(`segment:${name}`, "text")),
    part: (customer) => customer.segments,
    values: (customer) => plan.segments.map(({ name }) => tierOf(customer, name)),
  };
  const inline = plan.tables.filter(({ storage }) => storage.kind === "inline");
  return [metrics, segments, ...inline.map((table) => tableFacts(table, fact))];
}

/** The tier of a tiered segment, `IN` or `OUT` of a plain one. */
export function tierOf(customer: Customer, segment: string): string | undefined {
  const state = customer.segments[segment];
  return state === undefined ? undefined : standingIn(state);
}

function tableFacts(table: TablePlan, fact: (name: string, as: ComparedAs) => Fact): FactGroup {
  const columns = table.columns.flatMap(({ name, type, list }) => {
    const as = list || table.rows !== "one" ? null : COMPARED_AS[type];
    return as === null ? [] : [{ name, as }];
  });
  return {
    facts: [
      fact(`rows:${table.name}`, "number"),
      ...columns.map(({ name, as }) => fact(`column:${table.name}.${name}`, as)),
    ],
    part: (customer) => customer.tables[table.name],
    values: (customer) => {
      const rows = customer.tables[table.name];
      const row = onlyRow(rows);
      return [countLive(rows), ...columns.map(({ name }) => row?.[name])];
    },
  };
}

/** A value that is there but compares with nothing, such as NaN. Blobs sort after every number and text. */
export const INCOMPARABLE: Uint8Array = new Uint8Array(0);

/** What a value of a fact is stored as. Null is none, and an empty blob is `INCOMPARABLE`. */
export type StoredValue = string | number | Uint8Array | null;

/** A value as stored: databases compare stored values as `compareValues` compares the originals. */
export function storedValue(value: Value | undefined, as: ComparedAs): StoredValue {
  if (value === undefined || value === null) return null;
  if (typeof value === "object") return INCOMPARABLE;
  switch (as) {
    case "number":
      return Number.isNaN(Number(value)) ? INCOMPARABLE : Number(value);
    case "decimal":
      return decimalKey(String(value)) ?? INCOMPARABLE;
    case "boolean":
      return typeof value === "boolean" ? Number(value) : INCOMPARABLE;
    case "timestamp":
      return storedText(instantKey(String(value)));
    case "text":
      return storedText(String(value));
  }
}

/** The name of the fact a field is, or null for the customer id. */
export function factName(field: FieldRef): string | null {
  switch (field.kind) {
    case "id":
      return null;
    case "metric":
      return `metric:${field.name}`;
    case "column":
      return `column:${field.table}.${field.column}`;
  }
}
