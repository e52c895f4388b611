import type { Value } from "../cdc/change.ts";
import type { Comparison, CustomerFilter, FieldRef } from "../customer/values/filter.ts";
import { Customer360Error } from "../errors.ts";

/** What a comparison input may hold; which of these its type has depends on the scalar. */
export interface ComparisonInput {
  readonly eq?: Value | undefined;
  readonly ne?: Value | undefined;
  readonly lt?: Value | undefined;
  readonly lte?: Value | undefined;
  readonly gt?: Value | undefined;
  readonly gte?: Value | undefined;
  readonly in?: readonly Value[] | null | undefined;
  readonly contains?: string | null | undefined;
  readonly startsWith?: string | null | undefined;
  readonly isNull?: boolean | null | undefined;
}

/** A filter as clients write it: its parts, and the parts of its groups, hold together (and). Null is the same as left out. */
export interface FilterInput {
  readonly and?: readonly FilterInput[] | null | undefined;
  readonly or?: readonly FilterInput[] | null | undefined;
  readonly not?: FilterInput | null | undefined;
  readonly customerId?: ComparisonInput | null | undefined;
  readonly segments?: Readonly<Record<string, readonly string[] | null | undefined>> | null | undefined;
  /** `metrics`, and one group per one-row table. */
  readonly [group: string]: unknown;
}

/** An order as clients write it: exactly one leaf is given. */
export interface OrderInput {
  readonly customerId?: Direction | null | undefined;
  readonly [group: string]:
    Direction | Readonly<Record<string, Direction | null | undefined>> | null | undefined;
}

/** Which way a list is ordered. */
export type Direction = "asc" | "desc";

/** From the names of the schema to the fields of a document. */
export interface FilterFields {
  /** By group (`metrics` or the field name of a table), then by field name. */
  readonly groups: ReadonlyMap<string, ReadonlyMap<string, FieldRef>>;
  /** Segment names by field name, with tier names by enum value. */
  readonly segments: ReadonlyMap<string, { readonly name: string; readonly tier: (value: string) => string }>;
}

/** Most groups within groups of a filter, and most values it compares with: what a store answers in one statement. */
const MAX_DEPTH = 20;
const MAX_VALUES = 1_000;

/** The filter a client meant. Throws BAD_USER_INPUT for comparisons with null, and beyond 20 levels or 1,000 values. */
export function filterOf(input: FilterInput, fields: FilterFields): CustomerFilter {
  const filter = partOf(input, fields, 1);
  const values = valuesIn(filter);
  if (values <= MAX_VALUES) return filter;
  throw new Customer360Error(
    "BAD_USER_INPUT",
    `A filter may compare with ${MAX_VALUES.toLocaleString("en")} values at most; this one has ${values.toLocaleString("en")}.`,
  );
}

function valuesIn(filter: CustomerFilter): number {
  switch (filter.kind) {
    case "and":
    case "or":
      // One that selects everybody, or nobody, costs something as well.
      return filter.filters.reduce((sum, part) => sum + Math.max(1, valuesIn(part)), 0);
    case "not":
      return valuesIn(filter.filter);
    case "segment":
      return filter.in.length;
    case "field":
      return filter.test.op === "in" ? filter.test.values.length : 1;
  }
}

function partOf(input: FilterInput, fields: FilterFields, depth: number): CustomerFilter {
  if (depth > MAX_DEPTH) {
    throw new Customer360Error("BAD_USER_INPUT", `A filter may be nested ${MAX_DEPTH} levels deep at most.`);
  }
  const filters: CustomerFilter[] = [];
  for (const kind of ["and", "or"] as const) {
    const parts = input[kind];
    if (parts) filters.push({ kind, filters: parts.map((part) => partOf(part, fields, depth + 1)) });
  }
  if (input.not) filters.push({ kind: "not", filter: partOf(input.not, fields, depth + 1) });
  if (input.customerId) filters.push(...testsOf({ kind: "id" }, input.customerId, "customerId"));
  for (const [name, values] of Object.entries(input.segments ?? {})) {
    const segment = fields.segments.get(name);
    if (segment && values)
      filters.push({ kind: "segment", segment: segment.name, in: values.map(segment.tier) });
  }
  for (const [group, refs] of fields.groups) {
    const tests = input[group];
    if (!isGroup(tests)) continue;
    for (const [name, test] of Object.entries(tests)) {
      const ref = refs.get(name);
      if (ref && test) filters.push(...testsOf(ref, test, `${group}.${name}`));
    }
  }
  const [only] = filters;
  return filters.length === 1 && only ? only : { kind: "and", filters };
}

function isGroup(value: unknown): value is Readonly<Record<string, ComparisonInput | null | undefined>> {
  return typeof value === "object" && value !== null;
}

function testsOf(field: FieldRef, input: ComparisonInput, name: string): readonly CustomerFilter[] {
  return Object.entries(input).flatMap(([op, value]): readonly CustomerFilter[] => {
    if (value === undefined) return [];
    const test = comparison(op, value);
    if (test !== null) return [{ kind: "field", field, test }];
    throw new Customer360Error(
      "BAD_USER_INPUT",
      `\`${name}.${op}\` is null: use \`isNull\` to ask for nulls.`,
    );
  });
}

function comparison(op: string, value: Value): Comparison | null {
  if (value === null) return null;
  if (op === "isNull") return { op, value: value === true };
  if (op === "in") return Array.isArray(value) ? { op, values: value } : null;
  if (op === "contains" || op === "startsWith") return { op, value: String(value) };
  return { op: op as "eq", value };
}

/** The order a client meant; by customer id when it named none. */
export function orderOf(
  input: OrderInput | null | undefined,
  fields: FilterFields,
): { readonly field: FieldRef; readonly direction: Direction } {
  if (!input) return { field: { kind: "id" }, direction: "asc" };
  const leaves = Object.entries(input).flatMap(([group, value]) => {
    if (!value) return [];
    if (typeof value === "string") return [{ field: { kind: "id" } as const, direction: value }];
    return Object.entries(value).flatMap(([name, direction]) => {
      const field = fields.groups.get(group)?.get(name);
      return field && direction ? [{ field, direction }] : [];
    });
  });
  const [leaf] = leaves;
  if (leaf && leaves.length === 1) return leaf;
  throw new Customer360Error("BAD_USER_INPUT", "`orderBy` must name exactly one field.");
}
