import type { Plan } from "../customer/plan.ts";
import { factsOf } from "./facts.ts";
import type { Reads } from "./reads.ts";
import { everyDocument, sqliteDocuments } from "./sqlite-customers.ts";
import { sqliteFacts } from "./sqlite-facts.ts";
import { sqliteHolders } from "./sqlite-holders.ts";
import { sqliteLedger } from "./sqlite-ledger.ts";
import { noteOf, sqlitePages } from "./sqlite-pages.ts";
import { sqliteReadDocuments } from "./sqlite-read-documents.ts";
import { sqliteReads } from "./sqlite-reads.ts";
import { SCHEMA_VERSION, STORE_SCHEMA } from "./sqlite-schema.ts";
import { originalText } from "./sql-text.ts";
import { openSqlite } from "./sqlite.ts";
import type { CustomerSave, Loaded, Outstanding, Save, Store } from "./store.ts";

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
export function sqliteStore({ path, plan }: SqliteStoreOptions): Store & Reads {
  const db = openSqlite({
    ...{ path, schema: STORE_SCHEMA, version: SCHEMA_VERSION },
    sync: "checkpoint",
    code: "STORE_UNAVAILABLE",
  });
  const documents = sqliteDocuments(db, plan);
  const pages = sqlitePages(db, plan);
  const ledger = sqliteLedger(db);
  const groups = factsOf(plan);
  const known = new Map(groups.flatMap(({ facts: all }) => all.map((fact) => [fact.name, fact] as const)));
  const find = (name: string) => known.get(name) ?? null;
  const facts = sqliteFacts(db, groups, () => everyDocument(db, pages.notes));

  const saveCustomer = (part: CustomerSave): "saved" | "conflict" | "half" => {
    if (!documents.save(part)) return "conflict";
    for (const change of part.pages) {
      if (!pages.save(change, noteOf(part.after, change.after))) return "half";
    }
    if (part.after !== part.before) {
      pages.saveNotes(part.before, part.after, part.pages);
      facts.change(part.before, part.after);
    }
    return "saved";
  };

  /** Saves all but the known conflicts, and adds new ones. False when a customer is half written, so that all must be rolled back. */
  const attempt = (save: Save, conflicts: Set<string>): boolean => {
    facts.discard();
    for (const part of save.customers) {
      const { customerId } = part.before;
      if (conflicts.has(customerId)) continue;
      const outcome = saveCustomer(part);
      if (outcome !== "saved") conflicts.add(customerId);
      if (outcome === "half") return false;
    }
    ledger.write(save);
    for (const { customerId, revision } of save.confirms) documents.confirm(customerId, revision);
    facts.settle();
    return true;
  };

  const save: Store["save"] = async (wanted) => {
    const conflicts = new Set<string>();
    while (!db.attempt(() => attempt(wanted, conflicts)));
    return { conflicts };
  };

  const load: Store["load"] = async (request) =>
    db.transaction("read", (): Loaded => {
      const notes = pages.notes(request.customers);
      return {
        customers: documents.load(request.customers, notes),
        pages: pages.load(request.pages),
        places: documents.places(request.keys),
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
    outstanding: async (nowMs, limit): Promise<Outstanding> => ({
      due: ids("SELECT id FROM customers WHERE due_ms <= ? ORDER BY due_ms, id LIMIT ?", nowMs, limit),
      unpublished: ids("SELECT id FROM customers WHERE relay IS NOT NULL ORDER BY relay LIMIT ?", limit),
    }),
    holders: async (table, after, limit) => sqliteHolders(db, find, { table, after, limit }),
    ...sqliteReads({ db, find, documents: sqliteReadDocuments(db) }),
    close: async () => db.close(),
  };
}
