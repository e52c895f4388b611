import type { Refusal } from "../../../cdc/change.ts";
import type { Sqlite, SqlValue } from "../../../embedded/database.ts";
import { readCursor, writeCursor } from "../../list-cursor.ts";
import type { Excerpt, Listing, QuarantinedRecord, QuarantineQuery } from "../../reads.ts";
import { EXCERPT_BYTES } from "../../reads.ts";
import { originalText } from "../../stored-text.ts";

type Stored = [
  number,
  string,
  number,
  string,
  string | null,
  string,
  number,
  SqlValue,
  number,
  SqlValue,
  number,
];

/**
 * Refused records, the last put aside first. Rows of the quarantine are numbered as they come and never removed, so their
 * number is their place in the list. One table's records go along an index, made when somebody first asks for them.
 */
export function listQuarantine(
  db: Sqlite,
  { table, first, after }: QuarantineQuery,
): Listing<QuarantinedRecord> {
  const on: string[] = ["1"];
  const values: SqlValue[] = [];
  if (table !== null) {
    db.exec("CREATE INDEX IF NOT EXISTS quarantine_newest ON quarantine (tbl)");
    on.push("tbl = ?");
    values.push(table);
  }
  if (after !== null) {
    on.push("rowid < ?");
    values.push(readCursor("quarantine", after, ["number"])[0] ?? null);
  }
  const rows = db
    .prepare(
      `SELECT rowid, topic, partition, "offset", tbl, refusal, at_ms,
         substr(key, 1, ${EXCERPT_BYTES}), coalesce(length(key), -1),
         substr(value, 1, ${EXCERPT_BYTES}), coalesce(length(value), -1)
       FROM quarantine ${table === null ? "" : "INDEXED BY quarantine_newest"}
       WHERE ${on.join(" AND ")} ORDER BY rowid DESC LIMIT ?`,
    )
    .all<Stored>(...values, first + 1);
  return {
    items: rows.slice(0, first).map((row) => ({
      item: recordOf(row),
      cursor: writeCursor("quarantine", [row[0]]),
    })),
    hasNext: rows.length > first,
  };
}

function recordOf(row: Stored): QuarantinedRecord {
  const [, topic, partition, offset, table, refusal, atMs, key, keyBytes, value, valueBytes] = row;
  return {
    origin: { topic: originalText(topic), partition, offset },
    table,
    refusal: JSON.parse(refusal) as Refusal,
    atMs,
    key: excerpt(key, keyBytes),
    value: excerpt(value, valueBytes),
  };
}

/** A length below zero stands for bytes that never were. */
function excerpt(head: SqlValue, bytes: number): Excerpt | null {
  return bytes < 0 ? null : { head: head instanceof Uint8Array ? head : new Uint8Array(), bytes };
}
