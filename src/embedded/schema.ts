/** Version of the tables below; raised with every change of them. */
export const SCHEMA_VERSION = 5;

/**
 * Tables of the store. Names, ids and keys are `storedText`.
 * - `customers`: the document but for its notes, its body as UTF-8 (as text where version 3 wrote it); `relay` is the revision that waits for a confirm.
 * - `pages`: a page's header together with the customer's note of it. `noted` is the revision noted; `note_live` and
 *   `note_totals` are null while they equal the header's, which is always but after a crash, so a page is written once.
 *   `newest` is an upper bound of the positions on the page, for listing newest first without reading every page.
 * - `places`: where rows of inline tables are; rows of paged tables are found through the index on `page_rows`.
 *   `placed` is 0 where nobody ever asks (append-only tables keyed by coordinates).
 * - `members`: listed customers by segment and tier; the row ('', '') counts them all.
 * - `quarantine`: coordinates alone name no record, as a topic may be made anew: `content_hash` is of code, key and value.
 * - `saves` counts what changes the tables or the journal, see store/sqlite/heads.ts.
 * - `journal`: saves that the other tables do not have yet, see store/sqlite/journal/journal.ts.
 * - `facts` (see store/sqlite/facts.ts) is made from the pipeline. Its indexes, and that of `pages` by table, are made when a
 *   query first goes along them.
 */
export const STORE_SCHEMA = `
CREATE TABLE IF NOT EXISTS customers (
  id TEXT PRIMARY KEY, revision INTEGER NOT NULL, due_ms INTEGER, relay INTEGER, outbox TEXT NOT NULL, body TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS customers_due ON customers (due_ms) WHERE due_ms IS NOT NULL;
CREATE INDEX IF NOT EXISTS customers_relay ON customers (relay) WHERE relay IS NOT NULL;
CREATE TABLE IF NOT EXISTS pages (
  customer_id TEXT NOT NULL, tbl TEXT NOT NULL, page TEXT NOT NULL,
  revision INTEGER NOT NULL, live_rows INTEGER NOT NULL, newest TEXT NOT NULL,
  noted INTEGER, note_live INTEGER, totals TEXT NOT NULL, note_totals TEXT,
  PRIMARY KEY (customer_id, tbl, page)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS page_rows (
  customer_id TEXT NOT NULL, tbl TEXT NOT NULL, page TEXT NOT NULL, key TEXT NOT NULL,
  at TEXT NOT NULL, live INTEGER NOT NULL, placed INTEGER NOT NULL, row TEXT NOT NULL,
  PRIMARY KEY (customer_id, tbl, page, key)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS page_rows_place ON page_rows (tbl, key) WHERE placed = 1;
CREATE TABLE IF NOT EXISTS places (
  tbl TEXT NOT NULL, key TEXT NOT NULL, customer_id TEXT NOT NULL, at TEXT NOT NULL, live INTEGER NOT NULL,
  PRIMARY KEY (tbl, key, customer_id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS offers (
  customer_id TEXT NOT NULL, offer TEXT NOT NULL, state TEXT NOT NULL, triggered_ms INTEGER NOT NULL, body TEXT NOT NULL,
  PRIMARY KEY (customer_id, offer)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS offers_newest ON offers (triggered_ms DESC, customer_id, offer);
CREATE TABLE IF NOT EXISTS quarantine (
  topic TEXT NOT NULL, partition INTEGER NOT NULL, "offset" TEXT NOT NULL, content_hash TEXT NOT NULL,
  tbl TEXT, code TEXT NOT NULL, refusal TEXT NOT NULL, headers TEXT NOT NULL,
  timestamp_ms INTEGER NOT NULL, at_ms INTEGER NOT NULL, key BLOB, value BLOB,
  PRIMARY KEY (topic, partition, "offset", content_hash)
);
CREATE INDEX IF NOT EXISTS quarantine_code ON quarantine (tbl, code);
CREATE TABLE IF NOT EXISTS checkpoints (
  topic TEXT NOT NULL, partition INTEGER NOT NULL, next_offset TEXT NOT NULL, PRIMARY KEY (topic, partition)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS truncates (tbl TEXT PRIMARY KEY, at TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tallies (
  tbl TEXT NOT NULL, kind TEXT NOT NULL, label TEXT NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (tbl, kind, label)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS members (
  segment TEXT NOT NULL, tier TEXT NOT NULL, customers INTEGER NOT NULL, PRIMARY KEY (segment, tier)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS saves (only INTEGER PRIMARY KEY CHECK (only = 1), count INTEGER NOT NULL);
INSERT INTO saves VALUES (1, 0) ON CONFLICT DO NOTHING;
CREATE TABLE IF NOT EXISTS journal (number INTEGER PRIMARY KEY, saves BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
`;

/**
 * Tables of the update stream: its life and length, and what is kept of it. Updates are numbered without holes; a row of
 * `updates` holds those from `first` to `last`, which were published together (see updates/local/chunk.ts).
 */
export const UPDATES_SCHEMA = `
CREATE TABLE IF NOT EXISTS stream (
  only INTEGER PRIMARY KEY CHECK (only = 1), epoch TEXT NOT NULL, tail INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS updates (
  last INTEGER PRIMARY KEY, first INTEGER NOT NULL, published_ms INTEGER NOT NULL, revisions TEXT NOT NULL,
  body BLOB NOT NULL
);
`;

/**
 * What leads from each version to the next. Store and stream may share a file or have one each, so a migration begins by
 * making the tables it turns, where they do not exist.
 */
export const MIGRATIONS: Readonly<Record<number, string>> = {
  // One row of `updates` per update.
  1: `
CREATE TABLE IF NOT EXISTS updates (
  seq INTEGER PRIMARY KEY, customer_id TEXT NOT NULL, revision INTEGER NOT NULL, published_ms INTEGER NOT NULL,
  body TEXT NOT NULL
);
ALTER TABLE updates RENAME TO updates_1;
CREATE TABLE updates (
  last INTEGER PRIMARY KEY, first INTEGER NOT NULL, published_ms INTEGER NOT NULL, revisions TEXT NOT NULL,
  body BLOB NOT NULL
);
INSERT INTO updates SELECT seq, seq, published_ms, json_array(customer_id, revision), CAST(body AS BLOB) FROM updates_1;
DROP TABLE updates_1;
`,
  // An index that only truncates need, kept up with every page.
  2: "DROP INDEX IF EXISTS pages_live",
};
