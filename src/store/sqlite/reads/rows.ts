import type { Customer, Row } from "../../../customer/customer.ts";
import { compareText } from "../../../customer/values/compare.ts";
import type { Sqlite } from "../../../embedded/database.ts";
import { readCursor, writeCursor } from "../../list-cursor.ts";
import type { ListedRow, Listing } from "../../reads.ts";
import { originalText, storedText } from "../../stored-text.ts";

/** Which rows: live ones of a customer's table, newest position first, ties by key. */
export interface RowsQuery {
  readonly customerId: string;
  readonly table: string;
  readonly first: number;
  readonly after: string | null;
}

interface Candidate {
  readonly key: string;
  readonly at: string;
  readonly row: Row;
}

/** Live rows of a table, from the document where the table is inline and from its pages where it is paged. */
export function listRows(db: Sqlite, query: RowsQuery, document: () => Customer | null): Listing<ListedRow> {
  const { customerId, table, first, after } = query;
  const start = after === null ? null : readCursor("rows", after, ["text", "text"]);
  const last = start === null ? null : { at: String(start[0]), key: String(start[1]) };
  const inline = document()?.tables[table];
  const rows = inline === undefined ? rowsOfPages(db, query, last) : rowsOfDocument(inline, first, last);
  return {
    items: rows.slice(0, first).map(({ key, at, row }) => ({
      item: { customerId, table, key, row },
      cursor: writeCursor("rows", [at, key]),
    })),
    hasNext: rows.length > first,
  };
}

function newestFirst(a: { at: string; key: string }, b: { at: string; key: string }): number {
  return a.at === b.at ? compareText(a.key, b.key) : a.at > b.at ? -1 : 1;
}

function rowsOfDocument(
  rows: Customer["tables"][string],
  first: number,
  last: { at: string; key: string } | null,
): readonly Candidate[] {
  return Object.entries(rows)
    .filter(([, row]) => row.live)
    .map(([key, row]) => ({ key, at: row.at, row }))
    .filter((candidate) => last === null || newestFirst(last, candidate) < 0)
    .sort(newestFirst)
    .slice(0, first + 1);
}

/** Reads pages in the order of their newest row, until no page left can hold a row newer than those found. */
function rowsOfPages(
  db: Sqlite,
  { customerId, table, first }: RowsQuery,
  last: { at: string; key: string } | null,
): readonly Candidate[] {
  const id = storedText(customerId);
  const pages = db
    .prepare(
      "SELECT page, newest FROM pages WHERE customer_id = ? AND tbl = ? AND live_rows > 0 ORDER BY newest DESC",
    )
    .all<[string, string]>(id, table);
  const select = db.prepare(
    `SELECT key, at FROM page_rows WHERE customer_id = ? AND tbl = ? AND page = ? AND live = 1
     AND (?4 IS NULL OR (at <= ?4 AND (at < ?4 OR key > ?5))) ORDER BY at DESC, key LIMIT ?6`,
  );
  let found: { page: string; key: string; at: string }[] = [];
  for (const [page, newest] of pages) {
    const worst = found[first];
    if (worst !== undefined && worst.at > newest) break;
    const rows = select.all<[string, string]>(
      ...[id, table, page, last?.at ?? null, last === null ? null : storedText(last.key), first + 1],
    );
    for (const [key, at] of rows) found.push({ page, key: originalText(key), at });
    found = found.sort(newestFirst).slice(0, first + 1);
  }
  const read = db.prepare(
    "SELECT row FROM page_rows WHERE customer_id = ? AND tbl = ? AND page = ? AND key = ?",
  );
  return found.flatMap(({ page, key, at }) => {
    const row = read.get<[string]>(id, table, page, storedText(key));
    return row === null ? [] : [{ key, at, row: JSON.parse(row[0]) as Row }];
  });
}
