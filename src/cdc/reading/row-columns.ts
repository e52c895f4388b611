import type { Value } from "../change.ts";
import { compileColumn, type ColumnDecoder } from "../columns/columns.ts";
import type { RowSchema } from "../columns/connect-schema.ts";
import { Misfit } from "../columns/values.ts";
import type { ColumnPlan, TablePlan } from "../table.ts";
import type { Json } from "./json.ts";
import type { RawRow } from "./row-reader.ts";

/** A table's column decoders for one embedded schema, or for records without one. Slots are the columns' indexes. */
export interface RowColumns {
  readonly decoders: readonly ColumnDecoder[];
  /** What the connector fills in where it has no value; undefined where the schema names nothing. */
  readonly defaults: readonly (Value | undefined)[];
}

/** Compiles a table's columns against an embedded schema; null for none. */
export function compileRow(table: TablePlan, schema: RowSchema | null): RowColumns {
  const decoders = table.columns.map((column) => compileColumn(column, schema?.get(column.name) ?? null));
  const defaults = table.columns.map((column, slot) => {
    const given = schema?.get(column.name)?.default;
    const value = given === undefined || given === null ? undefined : decoders[slot]?.(given);
    return value instanceof Misfit ? undefined : value;
  });
  return { decoders, defaults };
}

/** The canonical value of one column: null when null or not carried, a `Misfit` when it does not fit. */
export function valueAt(row: RawRow, columns: RowColumns, slot: number): Value | Misfit {
  const raw: Json | undefined = row[slot];
  if (raw === undefined || raw === null) return null;
  return columns.decoders[slot]?.(raw) ?? null;
}

/**
 * Whether a value of `before` may be made up. Where the database did not log the old row (PostgreSQL's default replica
 * identity) the connector fills columns with the zero of their type or with their default: such values say nothing, and
 * neither does a boolean. Everything else can only come from the row.
 */
export function mayBeMadeUp(value: Value, column: ColumnPlan, given: Value | undefined): boolean {
  if (value === null || typeof value === "boolean" || value === given) return true;
  if (typeof value !== "string") return value === 0 || typeof value === "object";
  if (column.type === "timestamp" || column.type === "date") return value.startsWith("1970-01-01");
  if (column.type === "time") return value === "00:00:00";
  return !/[^0.\s-]/.test(value);
}
