import type { Op, Values } from "./change.ts";

/** The logical type of a declared column; its canonical stored form is given beside each. */
export type ColumnType =
  | "text" // string
  | "int" // number, a safe integer of at most 32 bits
  | "bigint" // decimal text, any 64-bit integer and beyond
  | "decimal" // decimal text; with `scale` exactly that many digits after the point; also NaN
  | "float" // number; NaN and infinities as the texts "NaN", "Infinity", "-Infinity"
  | "boolean"
  | "date" // "2024-05-17", or "infinity" / "-infinity"
  | "time" // "23:59:59.999999"
  | "timestamp" // "2024-05-17T10:00:00.123456Z" (as many fraction digits as needed, none when zero), or infinities
  | "uuid" // lower-case text
  | "json" // JSON text as sent, digits kept
  | "bytes" // base64
  | "enum"; // text

/** How a number stands for an instant. */
export type TimeUnit = "s" | "ms" | "us" | "ns" | "days";

/** One declared column. */
export interface ColumnPlan {
  readonly name: string;
  readonly type: ColumnType;
  /** True for an array of the type. */
  readonly list: boolean;
  /** Digits after the point of a decimal; null when the source decides. */
  readonly scale: number | null;
  /**
   * Declared unit of a numeric date, time or timestamp; overrides what an embedded schema claims. Null:
   * from the schema, else refused.
   */
  readonly unit: TimeUnit | null;
  /** Pattern of a text date that is not ISO, such as `MM-dd-yyyy HH:mm:ss`; null for ISO. Zone is UTC unless the text has one. */
  readonly format: string | null;
  /** How bytes are encoded in JSON by the connector. */
  readonly encoding: "base64" | "base64-url-safe" | "hex";
  /** True when a decimal comes as base64 of its unscaled digits though no schema is embedded; `scale` then places the point. */
  readonly unscaled?: boolean;
  readonly description: string | null;
  /** The field's name in GraphQL, when the pipeline file chooses one; conditions never use it. */
  readonly as?: string;
}

/**
 * A condition over one row's values, compiled from CEL. Missing columns read as null. Throws nothing:
 * a failing evaluation answers false.
 */
export type RowCondition = (values: Values) => boolean;

/** What happens to a record that violates an expectation. */
export type ExpectationAction = "warn" | "drop" | "quarantine" | "fail";

/** One quality rule of a table; checked on upserts only, since a delete carries no trustworthy values. */
export interface Expectation {
  readonly name: string;
  readonly holds: RowCondition;
  readonly action: ExpectationAction;
}

/** How a table's rows are stored. Inline rows live in the customer document; paged ones in pages of a month or a day. */
export type Storage =
  | { readonly kind: "inline" }
  | { readonly kind: "paged"; readonly column: string; readonly period: "month" | "day" };

/** Where a table's order comes from: declared columns, compared field by field, or the connector's own fields. */
export type SequencePlan =
  { readonly kind: "columns"; readonly columns: readonly string[] } | { readonly kind: "log" };

/** Everything the core needs to know about one table. Built by src/plan from the pipeline file. */
export interface TablePlan {
  readonly name: string;
  /** What a row is, in plain words, for the GraphQL schema. */
  readonly description?: string;
  /** The GraphQL type of a row, when the pipeline file chooses one. */
  readonly typeName?: string;
  readonly topics: readonly string[];
  /** `debezium`: an envelope with op, before, after. `flat`: the value is the row. */
  readonly format: "debezium" | "flat";
  /** Key columns; empty means the record's own coordinates are the key (append-only tables without an identity). */
  readonly key: readonly string[];
  /** The column that names the customer. */
  readonly customer: string;
  readonly columns: readonly ColumnPlan[];
  readonly sequence: SequencePlan;
  /** Raised by an operator when the source's positions restart (restore, failover). 0..9999. */
  readonly epoch: number;
  readonly ops: ReadonlyMap<string, Op>;
  readonly deleteWhen: RowCondition | null;
  readonly truncateWhen: RowCondition | null;
  /** Columns whose null means "not sent". */
  readonly ignoreNulls: ReadonlySet<string>;
  /** At most one row per customer, or many. */
  readonly rows: "one" | "many";
  readonly storage: Storage;
  readonly appendOnly: boolean;
  readonly expectations: readonly Expectation[];
}

/** True when rows of the table can move, so that their places have to be looked up. */
export function canMove(table: TablePlan): boolean {
  if (table.key.length === 0) return false;
  return table.storage.kind === "paged" || table.key.length > 1 || table.key[0] !== table.customer;
}
