import type { Value } from "../../cdc/change.ts";
import type { Customer } from "../customer.ts";
import { onlyRow } from "../derived/metrics.ts";
import { standingIn } from "../derived/segments.ts";
import { type ComparedAs, compareValues } from "./compare.ts";

/** How a stored value is compared with the wanted one. Null compares with nothing but `isNull`. */
export type Comparison =
  | { readonly op: "eq" | "ne" | "lt" | "lte" | "gt" | "gte"; readonly value: Value }
  | { readonly op: "in"; readonly values: readonly Value[] }
  | { readonly op: "contains" | "startsWith"; readonly value: string }
  | { readonly op: "isNull"; readonly value: boolean };

/** Names one comparable field of a customer document. */
export type FieldRef =
  | { readonly kind: "id" }
  | { readonly kind: "metric"; readonly name: string; readonly as: ComparedAs }
  | { readonly kind: "column"; readonly table: string; readonly column: string; readonly as: ComparedAs };

/** What a list or a subscription of customers selects. Segments are tested by tier name, or `IN` / `OUT` for plain ones. */
export type CustomerFilter =
  | { readonly kind: "and" | "or"; readonly filters: readonly CustomerFilter[] }
  | { readonly kind: "not"; readonly filter: CustomerFilter }
  | { readonly kind: "segment"; readonly segment: string; readonly in: readonly string[] }
  | { readonly kind: "field"; readonly field: FieldRef; readonly test: Comparison };

/** True when a filter selects a customer. A null, or a value that cannot be compared, passes no test but `isNull`. */
export function matches(filter: CustomerFilter, customer: Customer): boolean {
  switch (filter.kind) {
    case "and":
      return filter.filters.every((part) => matches(part, customer));
    case "or":
      return filter.filters.some((part) => matches(part, customer));
    case "not":
      return !matches(filter.filter, customer);
    case "segment": {
      const state = customer.segments[filter.segment];
      return state !== undefined && filter.in.includes(standingIn(state));
    }
    case "field": {
      const as = filter.field.kind === "id" ? "text" : filter.field.as;
      return passes(filter.test, valueOf(filter.field, customer), as);
    }
  }
}

/** The value a field has in a customer; null where there is none. */
export function valueOf(field: FieldRef, customer: Customer): Value {
  switch (field.kind) {
    case "id":
      return customer.customerId;
    case "metric":
      return customer.metrics[field.name] ?? null;
    case "column":
      return onlyRow(customer.tables[field.table])?.[field.column] ?? null;
  }
}

function passes(test: Comparison, value: Value, as: ComparedAs): boolean {
  if (test.op === "isNull") return (value === null) === test.value;
  if (test.op === "in") return test.values.some((wanted) => compareValues(value, wanted, as) === 0);
  if (test.op === "contains") return typeof value === "string" && value.includes(test.value);
  if (test.op === "startsWith") return typeof value === "string" && value.startsWith(test.value);
  const order = compareValues(value, test.value, as);
  if (order === null) return false;
  switch (test.op) {
    case "eq":
      return order === 0;
    case "ne":
      return order !== 0;
    case "lt":
      return order < 0;
    case "lte":
      return order <= 0;
    case "gt":
      return order > 0;
    case "gte":
      return order >= 0;
  }
}
