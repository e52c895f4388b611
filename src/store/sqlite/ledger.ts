import { createHash } from "node:crypto";
import type { Position } from "../../cdc/change.ts";
import type { Sqlite } from "../../embedded/database.ts";
import type { Checkpoint } from "../../ingest/source.ts";
import type { Quarantined, Save } from "../store.ts";
import { storedText } from "../stored-text.ts";

/** What a save carries besides customers: quarantine, checkpoints, watermarks, tallies. All calls are made inside a transaction. */
export interface Ledger {
  write(save: Save): void;
  checkpoints(): readonly Checkpoint[];
  truncates(): Readonly<Record<string, Position>>;
  /** Removes the checkpoints whose topics begin so. */
  forgetCheckpoints(prefix: string): void;
}

/** The ledger in SQLite. */
export function sqliteLedger(db: Sqlite): Ledger {
  return {
    write(save) {
      for (const quarantined of save.quarantine) putAside(db, quarantined);
      for (const { topic, partition, nextOffset } of save.checkpoints)
        db.prepare(CHECKPOINT).run(topic, partition, nextOffset);
      for (const [table, at] of Object.entries(save.truncates)) db.prepare(TRUNCATE).run(table, at);
      for (const { table, kind, label, count } of save.tallies)
        db.prepare(TALLY).run(table, kind, label, count);
    },
    checkpoints: () =>
      db
        .prepare("SELECT topic, partition, next_offset FROM checkpoints ORDER BY topic, partition")
        .all<[string, number, string]>()
        .map(([topic, partition, nextOffset]) => ({ topic, partition, nextOffset })),
    truncates: () => Object.fromEntries(db.prepare("SELECT tbl, at FROM truncates").all<[string, string]>()),
    forgetCheckpoints: (prefix) =>
      void db.prepare("DELETE FROM checkpoints WHERE substr(topic, 1, length(?1)) = ?1").run(prefix),
  };
}

/** Offsets are decimal text: the longer one is the greater. */
const CHECKPOINT = `INSERT INTO checkpoints (topic, partition, next_offset) VALUES (?, ?, ?)
  ON CONFLICT DO UPDATE SET next_offset = excluded.next_offset
  WHERE (length(excluded.next_offset), excluded.next_offset) > (length(next_offset), next_offset)`;
const TRUNCATE = `INSERT INTO truncates (tbl, at) VALUES (?, ?)
  ON CONFLICT DO UPDATE SET at = excluded.at WHERE excluded.at > at`;
const TALLY = `INSERT INTO tallies (tbl, kind, label, count) VALUES (?, ?, ?, ?)
  ON CONFLICT DO UPDATE SET count = count + excluded.count`;
const QUARANTINE = `INSERT INTO quarantine
  (topic, partition, "offset", content_hash, tbl, code, refusal, headers, timestamp_ms, at_ms, key, value)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`;

function putAside(db: Sqlite, { record, table, refusal, atMs }: Quarantined): void {
  const { topic, partition, offset, headers, timestampMs, key, value } = record;
  db.prepare(QUARANTINE).run(
    ...[storedText(topic), partition, offset, contentHash([refusal.code, key, value]), table, refusal.code],
    ...[JSON.stringify(refusal), JSON.stringify(headers), timestampMs, atMs, key, value],
  );
}

/** Of several parts, each with its length, so that no byte may pass from one to the next. */
function contentHash(parts: readonly (string | Uint8Array | null)[]): string {
  const hash = createHash("sha256");
  for (const part of parts) {
    hash.update(part === null ? "-," : `${part.length},`);
    if (part !== null) hash.update(part);
  }
  return hash.digest("base64url");
}
