import type { Sqlite, SqlValue } from "../../embedded/database.ts";

/**
 * Rows of one table on their way into it, many with one statement:
 * crossing over to the database costs as much as the insert itself.
 */
export interface BulkRows {
  /** Takes a row, and writes those taken so far when they fill a statement. */
  add(...row: readonly SqlValue[]): void;
  /** Writes the rest. Rows that were added and not written are forgotten with this object, as when a transaction is undone. */
  end(): void;
}

/** Begins to insert rows into one table; anew in every transaction. */
export type Bulk = () => BulkRows;

/** Rows per statement, the greatest that fits first. */
const FULL = 32;
const SIZES = [FULL, 8, 1];

/** Inserts into a table; `clause` is what follows the values, such as what to do on a conflict. */
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
  const write = (values: readonly SqlValue[]): void => {
    let from = 0;
    for (const { size, sql } of texts) {
      for (; values.length - from >= size; from += size) {
        const some = size === values.length ? values : values.slice(from, from + size);
        db.prepare(sql).runAll(some);
      }
    }
  };
  return () => {
    let waiting: SqlValue[] = [];
    const end = (): void => {
      const values = waiting;
      waiting = [];
      write(values);
    };
    return {
      add(...row) {
        for (const value of row) waiting.push(value);
        if (waiting.length === FULL * columns.length) end();
      },
      end,
    };
  };
}
