import type { Customer } from "../../../customer/customer.ts";
import type { Sqlite } from "../../../embedded/database.ts";
import { parseBody } from "../../document-text.ts";
import { originalText, storedText } from "../../stored-text.ts";

/** Documents for readers: without outbox, and with one note per paged table that tells only its number of live rows. */
export interface ReadDocuments {
  /** Those of these customers that there are. Called inside a transaction. */
  read(ids: readonly string[]): ReadonlyMap<string, Customer>;
}

/** How many parsed documents are kept for the next reader. */
const KEPT = 2_000;

/** Reads documents; one that was read before at the same revision is not parsed again. */
export function sqliteReadDocuments(db: Sqlite): ReadDocuments {
  const kept = new Map<string, Customer>();
  const keep = (customer: Customer): void => {
    kept.delete(customer.customerId);
    kept.set(customer.customerId, customer);
    const oldest = kept.size > KEPT ? kept.keys().next().value : undefined;
    if (oldest !== undefined) kept.delete(oldest);
  };
  return {
    read(ids) {
      const found = new Map<string, Customer>();
      const missing: string[] = [];
      const revisions = db
        .prepare("SELECT id, revision FROM customers WHERE id IN (SELECT value FROM json_each(?))")
        .all<[string, number]>(JSON.stringify(ids.map(storedText)));
      for (const [stored, revision] of revisions) {
        const customer = kept.get(originalText(stored));
        if (customer?.revision === revision) found.set(customer.customerId, customer);
        else missing.push(stored);
      }
      for (const customer of parse(db, missing)) found.set(customer.customerId, customer);
      for (const customer of found.values()) keep(customer);
      return found;
    },
  };
}

function parse(db: Sqlite, stored: readonly string[]): readonly Customer[] {
  if (stored.length === 0) return [];
  const wanted = JSON.stringify(stored);
  const notes = new Map<string, Record<string, Customer["notes"][string]>>();
  const counts = db
    .prepare(
      `SELECT customer_id, tbl, sum(coalesce(note_live, live_rows)) FROM pages
       WHERE customer_id IN (SELECT value FROM json_each(?)) AND noted IS NOT NULL GROUP BY customer_id, tbl`,
    )
    .all<[string, string, number]>(wanted);
  for (const [id, table, liveRows] of counts) {
    const of = notes.get(id) ?? {};
    of[table] = { all: { revision: 0, totals: {}, liveRows } };
    notes.set(id, of);
  }
  return db
    .prepare("SELECT id, revision, due_ms, body FROM customers WHERE id IN (SELECT value FROM json_each(?))")
    .all<[string, number, number | null, string | Uint8Array]>(wanted)
    .map(([id, revision, dueMs, body]) => ({
      customerId: originalText(id),
      revision,
      dueMs,
      ...parseBody(body),
      notes: notes.get(id) ?? {},
      outbox: [],
    }));
}
