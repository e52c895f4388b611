import type { Announcement, Customer, Rows } from "../../customer/customer.ts";
import { NOBODY, newCustomer } from "../../customer/customer.ts";
import type { Plan } from "../../customer/plan.ts";
import type { Sqlite } from "../../embedded/database.ts";
import { announcementText, bodyBytes, parseBody } from "../document-text.ts";
import { soughtTables } from "../placed-tables.ts";
import type { Place } from "../store.ts";
import { originalText, storedText } from "../stored-text.ts";
import type { BulkRows } from "./bulk.ts";
import { bulkInsert } from "./bulk.ts";
import type { Heads } from "./heads.ts";
import type { Pending, PendingCustomer } from "./journal/pending.ts";

/** Full notes of customers in the tables, by customer id. */
type NotesOf = (ids: readonly string[]) => ReadonlyMap<string, Customer["notes"]>;

/** Reads and writes documents with what hangs on them: places of inline rows, offers. All calls are made inside a transaction. */
export interface Documents {
  /** These customers, new ones where there is none; `notes` gives those in the tables. */
  load(ids: readonly string[], notes: NotesOf): ReadonlyMap<string, Customer>;
  /** Revisions of these customers, in their order; 0 for one that is not stored. */
  revisions(ids: readonly string[]): readonly number[];
  /** Brings the tables up to date with these. */
  write(pending: readonly PendingCustomer[]): void;
  /** Where these keys are. */
  places(keys: Readonly<Record<string, readonly string[]>>): readonly Place[];
  /** Takes out of a stored outbox what is published. */
  confirm(customerId: string, revision: number): void;
}

const CUSTOMERS = {
  into: "customers",
  columns: ["id", "revision", "due_ms", "outbox", "body", "relay"],
  clause: `ON CONFLICT (id) DO UPDATE SET revision = excluded.revision, due_ms = excluded.due_ms, outbox = excluded.outbox,
    body = excluded.body, relay = coalesce(excluded.relay, relay)`,
};
const PLACES = {
  into: "places",
  columns: ["tbl", "key", "customer_id", "at", "live"],
  clause: "ON CONFLICT DO UPDATE SET at = excluded.at, live = excluded.live",
};
const OFFERS = {
  into: "offers",
  columns: ["customer_id", "offer", "state", "triggered_ms", "body"],
  clause:
    "ON CONFLICT DO UPDATE SET state = excluded.state, triggered_ms = excluded.triggered_ms, body = excluded.body",
};

/** Documents in SQLite, those in the tables under those that are pending. */
export function sqliteDocuments(
  db: Sqlite,
  { plan, heads, pending }: { readonly plan: Plan; readonly heads: Heads; readonly pending: Pending },
): Documents {
  const sought = soughtTables(plan);
  const insertCustomers = bulkInsert(db, CUSTOMERS);
  const insertPlaces = bulkInsert(db, PLACES);
  const insertOffers = bulkInsert(db, OFFERS);
  return {
    load(ids, notes) {
      const loaded = new Map<string, Customer>();
      const stored: string[] = [];
      for (const id of ids) {
        const known = pending.document(id);
        if (known === undefined) stored.push(id);
        else loaded.set(id, known);
      }
      if (stored.length > 0)
        for (const [id, customer] of loadDocuments(db, stored, notes(stored))) {
          heads.setRevision(id, customer.revision);
          loaded.set(id, customer);
        }
      return loaded;
    },
    revisions(ids) {
      const known = ids.map((id) => pending.document(id)?.revision ?? heads.revision(id));
      const unknown = ids.filter((_, index) => known[index] === undefined);
      const stored = unknown.length === 0 ? new Map<string, number>() : storedRevisions(db, unknown);
      return ids.map((id, index) => known[index] ?? stored.get(id) ?? 0);
    },
    write(saves) {
      const [customers, places, offers] = [insertCustomers(), insertPlaces(), insertOffers()];
      for (const { before, after, text, from, to, relay } of saves) {
        if (after === before) continue;
        const id = storedText(after.customerId);
        const { revision, dueMs, outbox } = after;
        heads.setRevision(after.customerId, revision);
        const announced = `[${outbox.map(announcementText).join()}]`;
        customers.add(id, revision, dueMs, announced, text?.subarray(from, to) ?? bodyBytes(after), relay);
        if (before.tables !== after.tables) changePlaces(db, sought, { id, before, after, rows: places });
        if (before.offers !== after.offers) changeOffers(db, { id, before, after, rows: offers });
      }
      for (const rows of [customers, places, offers]) rows.end();
    },
    places: (keys) => findPlaces(db, keys, pending),
    confirm(customerId, revision) {
      const id = storedText(customerId);
      const found = db.prepare("SELECT outbox FROM customers WHERE id = ?").get<[string]>(id);
      if (found === null) return;
      const outbox = (JSON.parse(found[0]) as Announcement[]).filter((entry) => entry.revision > revision);
      db.prepare(
        "UPDATE customers SET outbox = ?, relay = CASE WHEN relay > ? THEN relay END WHERE id = ?",
      ).run(JSON.stringify(outbox), revision, id);
    },
  };
}

/** Every document, a few loaded at a time. */
export function* everyDocument(db: Sqlite, notesOf: NotesOf): Iterable<Customer> {
  let last: string | null = null;
  for (;;) {
    const ids: readonly [string][] = db
      .prepare("SELECT id FROM customers WHERE ?1 IS NULL OR id > ?1 ORDER BY id LIMIT 200")
      .all<[string]>(last);
    if (ids.length === 0) return;
    const names = ids.map(([id]) => originalText(id));
    yield* loadDocuments(db, names, notesOf(names)).values();
    last = ids[ids.length - 1]?.[0] ?? null;
  }
}

function storedRevisions(db: Sqlite, ids: readonly string[]): ReadonlyMap<string, number> {
  return new Map(
    db
      .prepare("SELECT id, revision FROM customers WHERE id IN (SELECT value FROM json_each(?))")
      .all<[string, number]>(JSON.stringify(ids.map(storedText)))
      .map(([id, revision]) => [originalText(id), revision]),
  );
}

function loadDocuments(
  db: Sqlite,
  ids: readonly string[],
  notes: ReadonlyMap<string, Customer["notes"]>,
): ReadonlyMap<string, Customer> {
  const customers = new Map(ids.map((id) => [id, newCustomer(id)]));
  const rows = db
    .prepare(
      `SELECT id, revision, due_ms, outbox, body FROM customers WHERE id IN (SELECT value FROM json_each(?))`,
    )
    .all<[string, number, number | null, string, string | Uint8Array]>(JSON.stringify(ids.map(storedText)));
  for (const [stored, revision, dueMs, outbox, body] of rows) {
    const customerId = originalText(stored);
    customers.set(customerId, {
      customerId,
      revision,
      dueMs,
      ...parseBody(body),
      notes: notes.get(customerId) ?? {},
      outbox: JSON.parse(outbox) as Announcement[],
    });
  }
  return customers;
}

interface Versions {
  /** As stored. */
  readonly id: string;
  readonly before: Customer;
  readonly after: Customer;
  /** Receives the rows to write. */
  readonly rows: BulkRows;
}

/** Writes places that differ; those of rows that are gone are deleted. */
function changePlaces(db: Sqlite, sought: ReadonlySet<string>, { id, before, after, rows }: Versions): void {
  for (const table of sought) {
    const old: Rows = before.tables[table] ?? {};
    const now: Rows = after.tables[table] ?? {};
    if (old === now) continue;
    for (const key in now) {
      const row = now[key];
      const was = old[key];
      if (row === undefined || row === was || (row.at === was?.at && row.live === was.live)) continue;
      rows.add(table, storedText(key), id, row.at, row.live ? 1 : 0);
    }
    for (const key in old) {
      if (now[key] === undefined)
        db.prepare("DELETE FROM places WHERE tbl = ? AND key = ? AND customer_id = ?").run(
          table,
          storedText(key),
          id,
        );
    }
  }
}

/** Writes offers that differ; those the customer no longer has are deleted. */
function changeOffers(db: Sqlite, { id, before, after, rows }: Versions): void {
  if (id === NOBODY) return;
  for (const [offer, state] of Object.entries(after.offers)) {
    if (state === before.offers[offer]) continue;
    rows.add(id, offer, state.state, state.triggeredMs, JSON.stringify(state));
  }
  for (const offer of Object.keys(before.offers)) {
    if (after.offers[offer] === undefined)
      db.prepare("DELETE FROM offers WHERE customer_id = ? AND offer = ?").run(id, offer);
  }
}

function findPlaces(
  db: Sqlite,
  keys: Readonly<Record<string, readonly string[]>>,
  pending: Pending,
): readonly Place[] {
  const found: Place[] = [];
  for (const [table, wanted] of Object.entries(keys)) {
    if (wanted.length === 0) continue;
    const stored = new Map<string, Place[]>();
    for (const place of storedPlaces(db, table, wanted)) {
      const others = stored.get(place.key);
      if (others === undefined) stored.set(place.key, [place]);
      else others.push(place);
    }
    for (const key of wanted) found.push(...pending.places(table, key, stored.get(key) ?? NOWHERE));
  }
  return found;
}

const NOWHERE: readonly Place[] = [];

const PLACES_OF = `SELECT p.key, p.customer_id, NULL, p.at, p.live FROM json_each(?1) j CROSS JOIN places p
    ON p.tbl = ?2 AND p.key = j.value
  UNION ALL SELECT r.key, r.customer_id, r.page, r.at, r.live FROM json_each(?1) j CROSS JOIN page_rows r
    ON r.tbl = ?2 AND r.key = j.value AND r.placed = 1`;

function storedPlaces(db: Sqlite, table: string, keys: readonly string[]): readonly Place[] {
  return db
    .prepare(PLACES_OF)
    .all<[string, string, string | null, string, number]>(JSON.stringify(keys.map(storedText)), table)
    .map(([key, customerId, page, at, live]) => ({
      table,
      key: originalText(key),
      customerId: originalText(customerId),
      page,
      at,
      live: live === 1,
    }));
}
