import type { Row, Rows } from "../../../customer/customer.ts";
import { compareText } from "../../../customer/values/compare.ts";
import { readCursor, writeCursor } from "../../list-cursor.ts";
import type { ListedRow, Listing, Reads } from "../../reads.ts";
import type { MongoCollection } from "../client.ts";
import { fieldName, keptText, orderedText, originalOf } from "../documents/names.ts";
import { restored, type Stored } from "../documents/values.ts";

type RowsQuery = Parameters<Reads["listRows"]>[0];

interface Candidate {
  readonly key: string;
  readonly at: string;
  readonly row: Row;
}

/** Live rows of a table, newest position first, ties by key: from the document where it is inline, from pages where it is paged. */
export async function listRows(
  { customers, pages }: { readonly customers: MongoCollection; readonly pages: MongoCollection },
  isPaged: boolean,
  query: RowsQuery,
): Promise<Listing<ListedRow>> {
  const { customerId, table, first, after } = query;
  const [at, key] = after === null ? [] : readCursor("rows", after, ["text", "text"]);
  const last = at === undefined ? null : { at: String(at), key: String(key) };
  const rows = isPaged ? await rowsOfPages(pages, query, last) : await rowsOfDocument(customers, query, last);
  return {
    items: rows.slice(0, first).map((found) => ({
      item: { customerId, table, key: found.key, row: found.row },
      cursor: writeCursor("rows", [found.at, found.key]),
    })),
    hasNext: rows.length > first,
  };
}

function newestFirst(a: { at: string; key: string }, b: { at: string; key: string }): number {
  return a.at === b.at ? compareText(a.key, b.key) : a.at > b.at ? -1 : 1;
}

type Last = { readonly at: string; readonly key: string } | null;

/** The first so many live rows after the last one seen, of those found so far and of more. */
function best(found: readonly Candidate[], rows: Rows, last: Last, count: number): readonly Candidate[] {
  const more = Object.entries(rows)
    .filter(([, { live }]) => live)
    .map(([key, row]): Candidate => ({ key, at: row.at, row }))
    .filter((candidate) => last === null || newestFirst(last, candidate) < 0);
  return [...found, ...more].sort(newestFirst).slice(0, count);
}

async function rowsOfDocument(
  customers: MongoCollection,
  { customerId, table, first }: RowsQuery,
  last: Last,
): Promise<readonly Candidate[]> {
  const field = fieldName(table);
  const [found] = await customers.find<{ readonly tables?: Stored }>({
    filter: { _id: orderedText(customerId) },
    fields: { [`tables.${field}`]: 1 },
  });
  const tables = found?.tables ?? {};
  return Object.hasOwn(tables, field) ? best([], restored(tables[field]) as Rows, last, first + 1) : [];
}

/** Reads pages in the order of their newest row, until no page left can hold a row newer than those found. */
async function rowsOfPages(
  pages: MongoCollection,
  { customerId, table, first }: RowsQuery,
  last: Last,
): Promise<readonly Candidate[]> {
  const headers = await pages.find<{ readonly _id: string; readonly newest: string }>({
    filter: { customer: orderedText(customerId), table: keptText(table) },
    fields: { newest: 1, liveRows: 1 },
    sort: { newest: -1 },
  });
  let found: readonly Candidate[] = [];
  for (const { _id, newest } of headers) {
    const worst = found[first];
    if (worst !== undefined && worst.at > originalOf(newest)) break;
    const [page] = await pages.find<{ readonly rows?: Stored }>({ filter: { _id }, fields: { rows: 1 } });
    found = best(found, restored(page?.rows ?? {}) as Rows, last, first + 1);
  }
  return found;
}
