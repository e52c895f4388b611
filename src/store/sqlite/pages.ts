import type { Customer, Note, Page, PageRef, Row } from "../../customer/customer.ts";
import type { Plan } from "../../customer/plan.ts";
import type { Sqlite } from "../../embedded/database.ts";
import { totalsText } from "../document-text.ts";
import { unplacedTables } from "../placed-tables.ts";
import type { PageRequest } from "../store.ts";
import { originalText, storedText } from "../stored-text.ts";
import type { BulkRows } from "./bulk.ts";
import { bulkInsert } from "./bulk.ts";
import type { Header, Heads } from "./heads.ts";
import type { Pending, PendingCustomer, PendingPage } from "./journal/pending.ts";
import type { PendingRow } from "./journal/pending-rows.ts";
import { isNoteOf, isToldBy } from "./notes.ts";

/** Reads and writes pages, and the notes customers keep of them. All calls are made inside a transaction. */
export interface Pages {
  /** These pages. Rows of which it is certain that they are not stored are not looked for. */
  load(requests: readonly PageRequest[], isAbsent: (table: string, key: string) => boolean): readonly Page[];
  /** Full notes of these customers in the tables, by customer id. */
  notes(customerIds: readonly string[]): ReadonlyMap<string, Customer["notes"]>;
  /** Headers of these pages, in their order. */
  headers(refs: readonly PageRef[]): readonly Header[];
  /** Brings the tables up to date with these, each page with its customer's note of it. */
  write(pending: readonly PendingCustomer[]): void;
}

const HEADER = `revision = excluded.revision, live_rows = excluded.live_rows, totals = excluded.totals,
  newest = max(newest, excluded.newest)`;
const COLUMNS = ["customer_id", "tbl", "page", "revision", "live_rows", "newest", "totals", "noted"];

const NOTED = {
  into: "pages",
  columns: COLUMNS,
  clause: `ON CONFLICT DO UPDATE SET ${HEADER}, noted = excluded.noted, note_live = NULL, note_totals = NULL`,
};

const AHEAD = {
  into: "pages",
  columns: COLUMNS,
  clause: `ON CONFLICT DO UPDATE SET ${HEADER},
    note_live = CASE WHEN noted IS NOT NULL THEN coalesce(note_live, live_rows) END,
    note_totals = CASE WHEN noted IS NOT NULL THEN coalesce(note_totals, totals) END`,
};

const INSERT_EMPTY = `INSERT INTO pages (customer_id, tbl, page, revision, live_rows, newest, totals, noted, note_live, note_totals)
  VALUES (?, ?, ?, 0, 0, '', '{}', NULL, NULL, NULL) ON CONFLICT DO NOTHING`;

const ROWS = {
  into: "page_rows",
  columns: ["customer_id", "tbl", "page", "key", "at", "live", "placed", "row"],
  clause: "ON CONFLICT DO UPDATE SET at = excluded.at, live = excluded.live, row = excluded.row",
};

/** Pages in SQLite, those in the tables under those that are pending. */
export function sqlitePages(
  db: Sqlite,
  { plan, heads, pending }: { readonly plan: Plan; readonly heads: Heads; readonly pending: Pending },
): Pages {
  const unplaced = unplacedTables(plan);

  const insertNoted = bulkInsert(db, NOTED);
  const insertAhead = bulkInsert(db, AHEAD);
  const insertRows = bulkInsert(db, ROWS);

  /** Adds the rows to write; those that are gone are deleted. */
  const changeRows = ({ table, page, rows }: PendingPage, id: string, changed: BulkRows): void => {
    const placed = unplaced.has(table) ? 0 : 1;
    for (const { key, row, text } of rows) {
      if (row === null) db.prepare(DELETE_ROW).run(id, table, page, storedText(key));
      else changed.add(id, table, page, storedText(key), row.at, row.live ? 1 : 0, placed, text);
    }
  };

  const headers = (refs: readonly PageRef[]): readonly Header[] => {
    const found = refs.map((ref) => pending.page(ref)?.header ?? heads.header(ref));
    const missing = [...found.keys()].filter((index) => found[index] === undefined);
    if (missing.length === 0) return found.map((header) => header ?? NO_HEADER);
    const asked = missing.flatMap((index) => refs[index] ?? []);
    const stored = new Map(storedHeaders(db, asked));
    for (const [at, ref] of asked.entries()) {
      const header = stored.get(at) ?? NO_HEADER;
      heads.setHeader(ref, header);
      found[missing[at] ?? -1] = header;
    }
    return found.map((header) => header ?? NO_HEADER);
  };

  return {
    load: (requests, isAbsent) =>
      requests.length === 0 ? [] : loadPages(db, requests, { headers: headers(requests), isAbsent, pending }),
    notes: (customerIds) => (customerIds.length === 0 ? new Map() : loadNotes(db, customerIds)),
    headers,
    write(customers) {
      const [noted, ahead, rows] = [insertNoted(), insertAhead(), insertRows()];
      for (const { after, pages } of customers)
        for (const each of pages) {
          const { customerId, table, page, header } = each;
          const { revision, liveRows } = header;
          const id = storedText(customerId);
          const isNoted = isNoteOf(after.notes[table]?.[page], header);
          const values = [id, table, page, revision, liveRows, newestOf(each.rows), each.totals];
          (isNoted ? noted : ahead).add(...values, isNoted ? revision : null);
          heads.setHeader(each, header);
          changeRows(each, id, rows);
        }
      for (const each of [noted, ahead, rows]) each.end();
      for (const each of customers) if (each.after !== each.before) writeNotes(db, each);
    },
  };
}

const DELETE_ROW = "DELETE FROM page_rows WHERE customer_id = ? AND tbl = ? AND page = ? AND key = ?";

/** Writes the notes that differ and are not of the pages just written. */
function writeNotes(db: Sqlite, { before, after, pages }: PendingCustomer): void {
  if (before.notes === after.notes) return;
  const { customerId } = after;
  for (const [table, notes] of Object.entries(after.notes)) {
    const old = before.notes[table];
    if (notes === old) continue;
    for (const page in notes) {
      const note = notes[page];
      if (note === undefined || note === old?.[page] || isToldBy(pages, { table, page, note })) continue;
      writeNote(db, { customerId, table, page }, note);
    }
  }
  for (const [table, notes] of Object.entries(before.notes)) {
    const left = after.notes[table];
    if (notes === left) continue;
    for (const page of Object.keys(notes)) {
      if (left?.[page] === undefined) writeNote(db, { customerId, table, page }, null);
    }
  }
}

function newestOf(rows: readonly PendingRow[]): string {
  let newest = "";
  for (const { row } of rows) if (row !== null && row.at > newest) newest = row.at;
  return newest;
}

function writeNote(
  db: Sqlite,
  ref: { customerId: string; table: string; page: string },
  note: Note | null,
): void {
  const where = [storedText(ref.customerId), ref.table, ref.page] as const;
  if (note !== null) db.prepare(INSERT_EMPTY).run(...where);
  db.prepare(
    "UPDATE pages SET noted = ?, note_live = ?, note_totals = ? WHERE customer_id = ? AND tbl = ? AND page = ?",
  ).run(
    note?.revision ?? null,
    note?.liveRows ?? null,
    note === null ? null : totalsText(note.totals),
    ...where,
  );
}

function loadNotes(db: Sqlite, customerIds: readonly string[]): ReadonlyMap<string, Customer["notes"]> {
  const found = new Map<string, Record<string, Record<string, Note>>>();
  const rows = db
    .prepare(
      `SELECT customer_id, tbl, page, noted, coalesce(note_live, live_rows), coalesce(note_totals, totals) FROM pages
       WHERE customer_id IN (SELECT value FROM json_each(?)) AND noted IS NOT NULL`,
    )
    .all<[string, string, string, number, number, string]>(JSON.stringify(customerIds.map(storedText)));
  for (const [stored, table, page, revision, liveRows, totals] of rows) {
    const id = originalText(stored);
    const notes = found.get(id) ?? {};
    found.set(id, notes);
    notes[table] ??= {};
    notes[table][page] = { revision, totals: JSON.parse(totals) as Note["totals"], liveRows };
  }
  return found;
}

const NO_HEADER: Header = { revision: 0, liveRows: 0, totals: {} };

/** Headers of those pages that there are, with their index in the list. */
function storedHeaders(db: Sqlite, refs: readonly PageRef[]): readonly (readonly [number, Header])[] {
  return db
    .prepare(
      `SELECT j.key, p.revision, p.live_rows, p.totals FROM json_each(?) j CROSS JOIN pages p
       ON p.customer_id = j.value ->> 0 AND p.tbl = j.value ->> 1 AND p.page = j.value ->> 2`,
    )
    .all<[number, number, number, string]>(
      JSON.stringify(refs.map(({ customerId, table, page }) => [storedText(customerId), table, page])),
    )
    .map(([index, revision, liveRows, totals]) => [
      index,
      { revision, liveRows, totals: JSON.parse(totals) as Page["totals"] },
    ]);
}

function loadPages(
  db: Sqlite,
  requests: readonly PageRequest[],
  of: {
    readonly headers: readonly Header[];
    readonly isAbsent: (table: string, key: string) => boolean;
    readonly pending: Pending;
  },
): readonly Page[] {
  const rows = requests.map((): Record<string, Row> => ({}));
  const put = ([index, key, row]: [number, string, string]): void => {
    const into = rows[index];
    if (into !== undefined) into[originalText(key)] = JSON.parse(row) as Row;
  };
  const wanted: (readonly [number, string, string, string, string])[] = [];
  const wholes: (readonly [number, string, string, string])[] = [];
  for (const [index, { customerId, table, page, keys }] of requests.entries()) {
    if (of.headers[index]?.revision === 0) continue;
    if (keys === "all") wholes.push([index, storedText(customerId), table, page]);
    else
      for (const key of keys)
        if (!of.isAbsent(table, key) && of.pending.row({ customerId, table, page }, key) === undefined)
          wanted.push([index, storedText(customerId), table, page, storedText(key)]);
  }
  const on = "r.customer_id = j.value ->> 1 AND r.tbl = j.value ->> 2 AND r.page = j.value ->> 3";
  const select = "SELECT j.value ->> 0, r.key, r.row FROM json_each(?) j CROSS JOIN page_rows r ON";
  if (wanted.length > 0)
    db.prepare(`${select} ${on} AND r.key = j.value ->> 4`)
      .all<[number, string, string]>(JSON.stringify(wanted))
      .forEach(put);
  if (wholes.length > 0)
    db.prepare(`${select} ${on}`).all<[number, string, string]>(JSON.stringify(wholes)).forEach(put);
  return requests.map((request, index) => {
    const { customerId, table, page, keys } = request;
    const { revision, liveRows, totals } = of.headers[index] ?? NO_HEADER;
    const whole = keys === "all";
    const found = rows[index] ?? {};
    putPending(found, request, of.pending);
    return { customerId, table, page, revision, totals, liveRows, rows: found, whole };
  });
}

/** Puts what is pending of a page over its rows in the tables. */
function putPending(rows: Record<string, Row>, request: PageRequest, pending: Pending): void {
  const { keys } = request;
  const put = ({ key, row }: PendingRow): void => {
    if (row === null) delete rows[key];
    else rows[key] = row;
  };
  if (keys === "all") pending.page(request)?.rows.forEach(put);
  else
    for (const key of keys) {
      const found = pending.row(request, key);
      if (found !== undefined) put(found);
    }
}
