import { NOBODY } from "../../../customer/customer.ts";
import type { Sqlite } from "../../../embedded/database.ts";
import type { FindFact } from "../../facts.ts";
import { originalText, storedText } from "../../stored-text.ts";

/** Which holders: of a table's live rows, in id order after an id. */
export interface HoldersQuery {
  readonly table: string;
  readonly after: string | null;
  readonly limit: number;
}

/** Customers holding live rows of a table: in pages by their headers, inline by the fact that counts them. */
export function sqliteHolders(
  db: Sqlite,
  find: FindFact,
  { table, after, limit }: HoldersQuery,
): readonly string[] {
  const paged =
    "SELECT DISTINCT customer_id AS id FROM pages WHERE tbl = ?1 AND live_rows > 0 AND customer_id >= ?2";
  const inline = find(`rows:${table}`);
  if (inline === null)
    db.exec("CREATE INDEX IF NOT EXISTS pages_live ON pages (tbl, customer_id) WHERE live_rows > 0");
  const sql =
    inline === null
      ? `${paged} ORDER BY id LIMIT ?3`
      : `SELECT id FROM facts WHERE ${inline.column} > 0 AND id >= ?2 AND ?1 = ?1 ORDER BY id LIMIT ?3`;
  const from = after ?? NOBODY;
  // The id asked after comes along, for NOBODY, the least of all ids, must be found too.
  return db
    .prepare(sql)
    .all<[string]>(table, storedText(from), limit + 1)
    .map(([id]) => originalText(id))
    .filter((id) => id !== after)
    .slice(0, limit);
}
