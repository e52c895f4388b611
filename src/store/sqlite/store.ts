import type { Plan } from "../../customer/plan.ts";
import { openSqlite } from "../../embedded/database.ts";
import { MIGRATIONS, SCHEMA_VERSION, STORE_SCHEMA } from "../../embedded/schema.ts";
import type { Reads } from "../reads.ts";
import type {
  CustomerSave,
  Everyone,
  Forgetting,
  Loaded,
  LoadRequest,
  Outstanding,
  Place,
  Store,
} from "../store.ts";
import { originalText } from "../stored-text.ts";
import { agreedIn, sqliteEveryone } from "./everyone.ts";
import { sqliteLedger } from "./ledger.ts";
import { sqliteHolders } from "./reads/holders.ts";
import { sqliteReadDocuments } from "./reads/read-documents.ts";
import { sqliteReads } from "./reads/reads.ts";
import { sqliteTables, type Tables } from "./tables.ts";

/** Where the store is and what it stores. */
export interface SqliteStoreOptions {
  /** The database file. Give `localUpdates` the same one: see there. */
  readonly path: string;
  readonly plan: Plan;
}

/**
 * The Store and the Reads in one SQLite file.
 *
 * A save is one transaction, so what it carries is stored together or not at all. Commits are not synced to the disk one by
 * one: a killed process loses nothing, but a power failure may lose the newest saves. None of those was published, for
 * publishing syncs the same log, and none was acknowledged, for checkpoints are stored with the data: they are redelivered.
 */
export function sqliteStore({ path, plan }: SqliteStoreOptions): Store & Everyone & Forgetting & Reads {
  const db = openSqlite({
    path,
    schema: STORE_SCHEMA,
    version: SCHEMA_VERSION,
    migrations: MIGRATIONS,
    sync: "checkpoint",
    code: "STORE_UNAVAILABLE",
  });
  const tables = sqliteTables(db, plan);
  const { documents, pages } = tables;
  const ledger = sqliteLedger(db);
  let closed = false;

  const save: Store["save"] = async (wanted) =>
    tables.within("write", () => {
      const { customers, confirms } = wanted;
      const conflicts = conflictsIn(tables, customers);
      const kept =
        conflicts.size === 0
          ? customers
          : customers.filter(({ before }) => !conflicts.has(before.customerId));
      tables.save(kept, customers.length === 0 || confirms.length > 0);
      ledger.write(wanted);
      for (const { customerId, revision } of confirms) documents.confirm(customerId, revision);
      return { conflicts };
    });

  const load: Store["load"] = async (request) =>
    tables.within("read", (): Loaded => {
      const places = documents.places(request.keys);
      return {
        customers: documents.load(request.customers, pages.notes),
        pages: pages.load(request.pages, absence(plan, request.keys, places)),
        places,
        truncates: ledger.truncates(),
      };
    });

  const ids = (sql: string, ...parameters: number[]): readonly string[] =>
    db
      .prepare(sql)
      .all<[string]>(...parameters)
      .map(([id]) => originalText(id));

  return {
    load,
    save,
    checkpoints: async () => ledger.checkpoints(),
    forgetCheckpoints: async (prefix) => db.transaction("write", () => ledger.forgetCheckpoints(prefix)),
    outstanding: async (nowMs, limit): Promise<Outstanding> => {
      tables.lookAfter(nowMs);
      return {
        due: ids("SELECT id FROM customers WHERE due_ms <= ? ORDER BY due_ms, id LIMIT ?", nowMs, limit),
        unpublished: ids("SELECT id FROM customers WHERE relay IS NOT NULL ORDER BY relay LIMIT ?", limit),
      };
    },
    shared: false,
    agreed: async (name, proposal) => agreedIn(db, name, proposal),
    holders: async (table, after, limit) => {
      tables.settle();
      return sqliteHolders(db, tables.find, { table, after, limit });
    },
    ...sqliteEveryone(db, () => tables.settle()),
    ...sqliteReads({ db, tables, documents: sqliteReadDocuments(db) }),
    close: async () => {
      if (closed) return;
      closed = true;
      try {
        tables.settle();
      } finally {
        db.close();
      }
    },
  };
}

/** Customers that, or a page of which, changed since they were loaded. Nobody else writes before this transaction ends. */
function conflictsIn({ documents, pages }: Tables, parts: readonly CustomerSave[]): Set<string> {
  const conflicts = new Set<string>();
  if (parts.length === 0) return conflicts;
  const revisions = documents.revisions(parts.map(({ before }) => before.customerId));
  for (const [index, { before }] of parts.entries())
    if (revisions[index] !== before.revision) conflicts.add(before.customerId);
  const changed = parts.flatMap((part) => part.pages.map(({ before }) => before));
  const headers = pages.headers(changed);
  for (const [index, { customerId, revision }] of changed.entries())
    if (headers[index]?.revision !== revision) conflicts.add(customerId);
  return conflicts;
}

/** Of which rows it is certain that no page holds them: their keys were looked for, and found nowhere. */
function absence(
  plan: Plan,
  sought: LoadRequest["keys"],
  places: readonly Place[],
): (table: string, key: string) => boolean {
  const absent = new Map<string, Set<string>>();
  for (const { name, key } of plan.tables) if (key.length > 0) absent.set(name, new Set(sought[name]));
  for (const { table, key } of places) absent.get(table)?.delete(key);
  return (table, key) => absent.get(table)?.has(key) === true;
}
