import type { OfferState } from "../../../customer/customer.ts";
import { NOBODY } from "../../../customer/customer.ts";
import type { Sqlite, SqlValue, Statement } from "../../../embedded/database.ts";
import { lightDocument } from "../../document-text.ts";
import { factName, requireFact } from "../../facts.ts";
import type { FindFact } from "../../facts.ts";
import { readCursor, writeCursor } from "../../list-cursor.ts";
import type { CursorValue } from "../../list-cursor.ts";
import type {
  Counts,
  CustomerQuery,
  ListedOffer,
  Listing,
  MemberCount,
  OfferQuery,
  Reads,
} from "../../reads.ts";
import { originalText, storedText } from "../../stored-text.ts";
import type { Tables } from "../tables.ts";
import { filterSql } from "./filter-sql.ts";
import { listQuarantine } from "./quarantine.ts";
import type { ReadDocuments } from "./read-documents.ts";
import { listRows } from "./rows.ts";

/** What the reads are made of. */
export interface ReadParts {
  readonly db: Sqlite;
  readonly tables: Pick<Tables, "find" | "within" | "settle" | "pending">;
  readonly documents: ReadDocuments;
}

/**
 * The API's queries. They run on the event loop: each is bounded by `first` and goes along an index, which is made when a
 * field is first filtered or ordered by, so that ingest keeps up only the indexes that somebody uses.
 */
export function sqliteReads({ db, tables, documents }: ReadParts): Reads {
  const { find, pending } = tables;
  const settle = (): void => tables.settle();
  const reading = <T>(work: () => T): T => {
    settle();
    return db.transaction("read", work);
  };
  return {
    customers: async (ids) =>
      tables.within("read", () => {
        const known = ids.map((id) => pending.document(id));
        const found = documents.read(ids.filter((id, index) => id !== NOBODY && known[index] === undefined));
        return ids.map((id, index) => {
          const newest = id === NOBODY ? undefined : known[index];
          return newest === undefined ? (found.get(id) ?? null) : lightDocument(newest);
        });
      }),
    listCustomers: async (query) => {
      indexFor(db, find, query);
      return reading(() => {
        const { ids, hasNext } = findCustomers(db, find, query);
        const found = documents.read(ids.map(({ id }) => id));
        const items = ids.flatMap(({ id, cursor }) => {
          const item = found.get(id);
          return item === undefined ? [] : [{ item, cursor }];
        });
        return { items, hasNext };
      });
    },
    countCustomers: async (filter) => {
      settle();
      if (filter === null) return listedCustomers(db);
      const { sql, parameters } = filterSql(filter, find);
      const counting = filtering(db, `SELECT count(*) FROM facts WHERE id > '' AND ${sql}`);
      return counting.get<[number]>(...parameters)?.[0] ?? 0;
    },
    listRows: async (query) =>
      reading(() =>
        listRows(db, query, () => documents.read([query.customerId]).get(query.customerId) ?? null),
      ),
    listOffers: async (query) => reading(() => listOffers(db, query)),
    listQuarantine: async (query) => listQuarantine(db, query),
    counts: async () => reading(() => countAll(db)),
  };
}

/** Filters of clients are without end, and those as long as this are hardly asked twice. */
const LONG = 4_000;

function filtering(db: Sqlite, sql: string): Statement {
  return sql.length < LONG ? db.prepare(sql) : db.prepareOnce(sql);
}

function listedCustomers(db: Sqlite): number {
  return (
    db.prepare("SELECT customers FROM members WHERE segment = '' AND tier = ''").get<[number]>()?.[0] ?? 0
  );
}

/** Makes the indexes a query goes along, when it is the first of its kind. */
function indexFor(db: Sqlite, find: FindFact, { filter, orderBy }: CustomerQuery): void {
  const name = factName(orderBy.field);
  const columns = new Set(filterSql(filter, find).columns);
  if (name !== null) columns.add(requireFact(find, name).column);
  for (const column of columns) {
    const known = db
      .prepare("SELECT 1 FROM sqlite_schema WHERE type = 'index' AND name = ?")
      .get(`facts_${column}`);
    if (known === null) db.exec(`CREATE INDEX IF NOT EXISTS facts_${column} ON facts (${column})`);
  }
}

interface Found {
  readonly ids: readonly { readonly id: string; readonly cursor: string }[];
  readonly hasNext: boolean;
}

/**
 * Keyset pagination in two stretches: customers with a value by (value, id), then those without one by id.
 * `value` null in a cursor says that the second stretch has begun.
 */
function findCustomers(db: Sqlite, find: FindFact, { filter, orderBy, first, after }: CustomerQuery): Found {
  const name = factName(orderBy.field);
  const column = name === null ? null : requireFact(find, name).column;
  const down = orderBy.direction === "desc";
  const list = `customers ${name ?? "id"} ${orderBy.direction}`;
  const where = filterSql(filter, find);
  const start = after === null ? null : readCursor(list, after, ["any", "text"]);
  const select = (
    sql: { value: string; on: string; order: string },
    parameters: readonly SqlValue[],
    limit: number,
  ) =>
    filtering(
      db,
      `SELECT ${sql.value}, id FROM facts WHERE id > '' AND ${sql.on} AND ${where.sql} ORDER BY ${sql.order} LIMIT ?`,
    ).all<[CursorValue, string]>(...parameters, ...where.parameters, limit);

  const byId = (idDown: boolean, on: string, limit: number) => {
    const beyond = start === null || start[0] !== null ? "1" : `id ${idDown ? "<" : ">"} ?`;
    const parameters = beyond === "1" ? [] : [start?.[1] ?? null];
    return select(
      { value: "NULL", on: `${on} AND ${beyond}`, order: idDown ? "id DESC" : "id" },
      parameters,
      limit,
    );
  };
  const byValue = (value: string, limit: number) => {
    const order = `${value}${down ? " DESC" : ""}, id`;
    if (start === null) return select({ value, on: `${value} < x''`, order }, [], limit);
    const [at, id] = [start[0] ?? null, start[1] ?? null];
    const beyond = `${value} ${down ? "<=" : ">="} ? AND (${value} ${down ? "<" : ">"} ? OR id > ?)`;
    return select({ value, on: `${value} < x'' AND ${beyond}`, order }, [at, at, id], limit);
  };

  const wanted = first + 1;
  const rows: [CursorValue, string][] = [];
  if (column === null) rows.push(...byId(down, "1", wanted));
  else {
    if (start === null || start[0] !== null) rows.push(...byValue(column, wanted));
    if (rows.length < wanted)
      rows.push(...byId(false, `(${column} IS NULL OR ${column} = x'')`, wanted - rows.length));
  }
  return {
    ids: rows
      .slice(0, first)
      .map(([value, id]) => ({ id: originalText(id), cursor: writeCursor(list, [value, id]) })),
    hasNext: rows.length > first,
  };
}

function listOffers(
  db: Sqlite,
  { customerId, offers, states, first, after }: OfferQuery,
): Listing<ListedOffer> {
  const on: string[] = ["1"];
  const values: SqlValue[] = [];
  const add = (sql: string, ...parameters: readonly SqlValue[]): void => {
    on.push(sql);
    values.push(...parameters);
  };
  if (customerId !== null) add("customer_id = ?", storedText(customerId));
  if (offers !== null) add("offer IN (SELECT value FROM json_each(?))", JSON.stringify(offers));
  if (states !== null) add("state IN (SELECT value FROM json_each(?))", JSON.stringify(states));
  if (after !== null) {
    const [ms = null, id = null, offer = null] = readCursor("offers", after, ["number", "text", "text"]);
    add("triggered_ms <= ? AND (triggered_ms < ? OR (customer_id, offer) > (?, ?))", ms, ms, id, offer);
  }
  const rows = db
    .prepare(
      `SELECT customer_id, offer, triggered_ms, body FROM offers WHERE ${on.join(" AND ")}
       ORDER BY triggered_ms DESC, customer_id, offer LIMIT ?`,
    )
    .all<[string, string, number, string]>(...values, first + 1);
  return {
    items: rows.slice(0, first).map(([owner, name, triggeredMs, body]) => ({
      item: { customerId: originalText(owner), offer: name, state: JSON.parse(body) as OfferState },
      cursor: writeCursor("offers", [triggeredMs, owner, name]),
    })),
    hasNext: rows.length > first,
  };
}

function countAll(db: Sqlite): Counts & { readonly members: readonly MemberCount[] } {
  return {
    customers: listedCustomers(db),
    members: db
      .prepare(
        "SELECT segment, tier, customers FROM members WHERE segment <> '' AND customers > 0 ORDER BY segment, tier",
      )
      .all<[string, string, number]>()
      .map(([segment, tier, customers]) => ({ segment, tier, customers })),
    tallies: db
      .prepare("SELECT tbl, kind, label, count FROM tallies ORDER BY tbl, kind, label")
      .all<[string, Counts["tallies"][number]["kind"], string, number]>()
      .map(([table, kind, label, count]) => ({ table, kind, label, count })),
    quarantined: db
      .prepare("SELECT tbl, code, count(*) FROM quarantine GROUP BY tbl, code ORDER BY tbl, code")
      .all<[string | null, string, number]>()
      .map(([table, code, count]) => ({ table, code, count })),
  };
}
