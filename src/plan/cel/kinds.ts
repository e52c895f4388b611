import type { Value } from "../../cdc/change.ts";
import type { ColumnType } from "../../cdc/table.ts";
import type { MetricType } from "../../customer/plan.ts";

/** What a condition takes a value for. `any` stands for a value whose declaration is itself at fault. */
export type Kind =
  | "int"
  | "double"
  | "decimal"
  | "bool"
  | "string"
  | "date"
  | "instant"
  | "null"
  | "any"
  | { readonly list: Kind };

/** One thing a condition may name. */
export interface Field {
  readonly kind: Kind;
  /** True for values kept as decimal text although they are integers (64-bit columns). */
  readonly wide: boolean;
  /** The only texts it can hold (tiers of a segment); null when it can hold any. */
  readonly choices: readonly string[] | null;
  /** What people who read it call it, where that is not its name. */
  readonly title?: string;
  /** The value, of a setting; undefined for everything that differs from row to row. */
  readonly constant?: Value;
}

/** The names a condition may use: `row.<column>`, `metrics.<name>` and so on. */
export type Roots = ReadonlyMap<string, ReadonlyMap<string, Field>>;

const KINDS: Readonly<Record<ColumnType, Kind>> = {
  text: "string",
  enum: "string",
  uuid: "string",
  json: "string",
  bytes: "string",
  time: "string",
  int: "int",
  bigint: "int",
  decimal: "decimal",
  float: "double",
  boolean: "bool",
  date: "date",
  timestamp: "instant",
};

/** The field that stands for a column, a metric or a setting of the given type. */
export function fieldOf(type: ColumnType | MetricType, list = false): Field {
  const kind = KINDS[type];
  return { kind: list ? { list: kind } : kind, wide: type === "bigint", choices: null };
}

/** A field whose declaration is at fault: anything may be done with it, so that one fault does not raise ten. */
export const ANYTHING: Field = { kind: "any", wide: false, choices: null };

/** A kind in the words of the person who writes the pipeline file. */
export function kindName(kind: Kind): string {
  if (typeof kind === "object") return `list of ${kindName(kind.list)}`;
  const names = {
    int: "integer",
    double: "float",
    bool: "boolean",
    string: "text",
    instant: "timestamp",
  } as const;
  return kind in names ? names[kind as keyof typeof names] : kind;
}
