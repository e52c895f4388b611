import type { Skip } from "./change.ts";
import { rowSchema } from "./columns/connect-schema.ts";
import { binlogOf, type BinlogPlace } from "./positions/binlog.ts";
import { isObject, member, type Json, type JsonObject } from "./reading/json.ts";
import { compileRow, type RowColumns } from "./reading/row-columns.ts";
import type { RawRow, RowReader } from "./reading/row-reader.ts";
import type { TablePlan } from "./table.ts";

/** What a record says, before its columns are decoded. */
export interface Envelope {
  /** The op as sent; null when the record has none (flat rows). */
  readonly op: string | null;
  readonly before: RawRow | null;
  readonly after: RawRow | null;
  /** PostgreSQL's log position; undefined when the record has none. */
  readonly lsn: Json | undefined;
  /** The place in a MySQL or MariaDB log; undefined when the record has none. */
  readonly binlog: BinlogPlace | undefined;
  /** When the source committed, as sent. */
  readonly sourceMs: Json | undefined;
  readonly columns: RowColumns;
}

/** A row with the decoders it needs: what a message key gives. */
export interface KeyRow {
  readonly row: RawRow;
  readonly columns: RowColumns;
}

/** What reading a value in full can come to. */
export type Opened =
  | { readonly kind: "envelope"; readonly envelope: Envelope }
  | { readonly kind: "skip"; readonly skip: Skip }
  | { readonly kind: "unreadable"; readonly reason: string };

/** The fields that the flattening of the connector adds to a row, as far as we use them. */
export const FLAT_FIELDS = ["__op", "__deleted", "__lsn", "__source_lsn", "__source_ts_ms"] as const;

/** Opens a parsed value of a table's topic. The reference for the fast path, and its fallback. */
export function openValue(json: Json, table: TablePlan, reader: RowReader): Opened {
  const { payload, schema } = unwrap(json, table);
  if (payload === null) return { kind: "skip", skip: "tombstone" };
  if (!isObject(payload)) return { kind: "unreadable", reason: "is not a JSON object" };
  const columns = compileRow(table, schema === undefined ? null : rowSchema(schema));
  if (table.format === "flat") {
    const row = reader.pick(payload) ?? [];
    return { kind: "envelope", envelope: flatEnvelope({ row, columns }, reader, table) };
  }
  const op = member(payload, "op");
  if (typeof op !== "string") {
    const skip = skipOf(payload);
    return skip === null ? { kind: "unreadable", reason: "has no op and is no row" } : { kind: "skip", skip };
  }
  return openEnvelope(payload, op, columns, reader);
}

/** Opens a parsed message key; null when it is not an object. */
export function openKey(json: Json, table: TablePlan, reader: RowReader): KeyRow | null {
  const { payload, schema } = unwrap(json, table);
  const row = reader.pick(payload);
  return row === null
    ? null
    : { row, columns: compileRow(table, schema === undefined ? null : rowSchema(schema)) };
}

/** The envelope of a row without one. A row the connector marked as deleted holds what it remembers of the old row. */
export function flatEnvelope(found: KeyRow, reader: RowReader, table: TablePlan): Envelope {
  const { row, columns } = found;
  const field = (name: (typeof FLAT_FIELDS)[number]): Json | undefined => {
    const slot = reader.names.indexOf(name);
    return slot < table.columns.length ? undefined : row[slot];
  };
  const op = field("__op");
  const deleted = field("__deleted");
  const isDelete = deleted === true || deleted === "true" || op === "d";
  return {
    op: isDelete ? "d" : typeof op === "string" ? op : null,
    before: isDelete ? row : null,
    after: isDelete ? null : row,
    lsn: field("__lsn") ?? field("__source_lsn"),
    binlog: undefined,
    sourceMs: field("__source_ts_ms"),
    columns,
  };
}

/** What a record that is no change is, by its shape; null when it is none that we know. */
export function skipOf(json: Json): Skip | null {
  const payload = isObject(json) && isObject(member(json, "payload")) ? member(json, "payload") : json;
  if (!isObject(payload)) return null;
  const has = (name: string): boolean => Object.hasOwn(payload, name);
  if (member(payload, "op") === "m") return "message";
  if (has("op")) return null;
  if (has("ddl") || has("tableChanges")) return "schema-change";
  const status = member(payload, "status");
  if ((status === "BEGIN" || status === "END") && has("id") && has("event_count")) return "transaction";
  return has("ts_ms") && Object.keys(payload).length === 1 ? "heartbeat" : null;
}

interface Unwrapped {
  readonly payload: Json;
  readonly schema: Json | undefined;
}

/**
 * Takes off the wrapper of the JSON converter, or of a feed that imitates it with fields of its own beside. Without `schema`
 * only what has no envelope of its own is a wrapper; a flat row that declares such columns is never one.
 */
function unwrap(json: Json, table: TablePlan): Unwrapped {
  const asIs = { payload: json, schema: undefined };
  if (!isObject(json) || !Object.hasOwn(json, "payload") || declaresWrapper(table)) return asIs;
  const payload = member(json, "payload") ?? null;
  if (Object.hasOwn(json, "schema")) return { payload, schema: member(json, "schema") };
  const isEnvelope = ["op", "before", "after"].some((name) => Object.hasOwn(json, name));
  return table.format === "debezium" && isObject(payload) && !isEnvelope
    ? { payload, schema: undefined }
    : asIs;
}

/** Whether a flat table declares columns named like the wrapper's. */
export function declaresWrapper(table: TablePlan): boolean {
  return table.format === "flat" && table.columns.some(({ name }) => name === "payload" || name === "schema");
}

function openEnvelope(payload: JsonObject, op: string, columns: RowColumns, reader: RowReader): Opened {
  const before = member(payload, "before") ?? null;
  const after = member(payload, "after") ?? null;
  if (before !== null && !isObject(before))
    return { kind: "unreadable", reason: "has a before that is no object" };
  if (after !== null && !isObject(after))
    return { kind: "unreadable", reason: "has an after that is no object" };
  const source = member(payload, "source");
  const envelope: Envelope = {
    op,
    before: reader.pick(before),
    after: reader.pick(after),
    lsn: member(source, "lsn"),
    binlog: binlogOf(source),
    sourceMs: member(source, "ts_ms"),
    columns,
  };
  return { kind: "envelope", envelope };
}
