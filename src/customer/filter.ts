import type { Value } from "../cdc/change.ts";

/** How a stored value is compared with the wanted one. Null compares with nothing but `isNull`. */
export type Comparison =
  | { readonly op: "eq" | "ne" | "lt" | "lte" | "gt" | "gte"; readonly value: Value }
  | { readonly op: "in"; readonly values: readonly Value[] }
  | { readonly op: "contains" | "startsWith"; readonly value: string }
  | { readonly op: "isNull"; readonly value: boolean };

/** How values of a field compare: by number for int and float, by exact decimal for decimal and bigint, else as text. */
export type ComparedAs = "number" | "decimal" | "text" | "boolean";

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
