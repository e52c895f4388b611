import type { Sqlite, SqlValue } from "./sqlite.ts";

/**
 * Inserts rows of one table, given one behind the other in one array, many with one statement: crossing over to the database
 * costs as much as the insert itself.
 */
export type Bulk = (values: readonly SqlValue[]) => void;

/** Rows per statement, the greatest that fits first. */
const SIZES = [32, 8, 1];

/** A bulk insert; `clause` is what follows the values, such as what to do on a conflict. */
export function bulkInsert(
  db: Sqlite,
  {
    into,
    columns,
    clause,
  }: { readonly into: string; readonly columns: readonly string[]; readonly clause: string },
): Bulk {
  const tuple = `(${columns.map(() => "?").join(", ")})`;
  const texts = SIZES.map((rows) => ({
    size: rows * columns.length,
    sql: `INSERT INTO ${into} (${columns.join(", ")}) VALUES ${Array<string>(rows).fill(tuple).join(", ")} ${clause}`,
  }));
  return (values) => {
    let from = 0;
    for (const { size, sql } of texts) {
      for (; values.length - from >= size; from += size)
        db.prepare(sql).runAll(values.slice(from, from + size));
    }
  };
}
