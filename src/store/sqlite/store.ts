import type { Plan } from "../../customer/plan.ts";
import { factsOf } from "../facts.ts";
import type { Reads } from "../reads.ts";
import { everyDocument, sqliteDocuments } from "./customers.ts";
import { identityOf, sqliteEveryone } from "./everyone.ts";
import { sqliteFacts } from "./facts.ts";
import { sqliteHeads } from "./heads.ts";
import { sqliteHolders } from "./holders.ts";
import { sqliteLedger } from "./ledger.ts";
import { noteOf, sqlitePages } from "./pages.ts";
import { sqliteReadDocuments } from "./read-documents.ts";
import { sqliteReads } from "./reads.ts";
import { MIGRATIONS, SCHEMA_VERSION, STORE_SCHEMA } from "./schema.ts";
import { originalText } from "./sql-text.ts";
import { openSqlite } from "./database.ts";
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
    ...{ path, schema: STORE_SCHEMA, version: SCHEMA_VERSION, migrations: MIGRATIONS },
    sync: "checkpoint",
    code: "STORE_UNAVAILABLE",
  });
  const heads = sqliteHeads(db);
  const documents = sqliteDocuments(db, plan, heads);
  const pages = sqlitePages(db, plan, heads);
  const ledger = sqliteLedger(db);
  const groups = factsOf(plan);
  const known = new Map(groups.flatMap(({ facts: all }) => all.map((fact) => [fact.name, fact] as const)));
  const find = (name: string) => known.get(name) ?? null;
  const facts = sqliteFacts(db, groups, () => everyDocument(db, pages.notes));

  /** Customers that, or a page of which, changed since they were loaded. Nobody else writes before this transaction ends. */
  const conflictsIn = (parts: readonly CustomerSave[]): Set<string> => {
    const conflicts = new Set<string>();
    const revisions = documents.revisions(parts.map(({ before }) => before.customerId));
    for (const [index, { before }] of parts.entries())
      if (revisions[index] !== before.revision) conflicts.add(before.customerId);
    const changed = parts.flatMap((part) => part.pages.map(({ before }) => before));
    const headers = pages.headers(changed);
    for (const [index, { customerId, revision }] of changed.entries())
      if (headers[index]?.revision !== revision) conflicts.add(customerId);
    return conflicts;
  };

  const saveCustomers = (parts: readonly CustomerSave[]): void => {
    documents.save(parts);
    pages.save(
      parts.flatMap(({ after, pages: changes }) =>
        changes.map((change) => ({ change, note: noteOf(after, change.after) })),
      ),
    );
    for (const { before, after, pages: changes } of parts) {
      if (after === before) continue;
      pages.saveNotes(before, after, changes);
      facts.change(before, after);
    }
  };

  /** A transaction that knows what was last seen of the heads, and forgets it when it is undone. */
  const knowing = <T>(mode: "read" | "write", work: () => T): T => {
    try {
      return db.transaction(mode, () => {
        heads.enter();
        return work();
      });
    } catch (error) {
      heads.forget();
      throw error;
    }
  };

  const save: Store["save"] = async (wanted) =>
    knowing("write", () => {
      facts.discard();
      const { customers } = wanted;
      const conflicts = customers.length === 0 ? new Set<string>() : conflictsIn(customers);
      const kept =
        conflicts.size === 0
          ? customers
          : customers.filter(({ before }) => !conflicts.has(before.customerId));
      if (kept.length > 0) heads.saving();
      saveCustomers(inKeyOrder(kept));
      ledger.write(wanted);
      for (const { customerId, revision } of wanted.confirms) documents.confirm(customerId, revision);
      facts.settle();
      return { conflicts };
    });

  const load: Store["load"] = async (request) =>
    knowing("read", (): Loaded => {
      const notes = pages.notes(request.customers);
      const places = documents.places(request.keys);
      return {
        customers: documents.load(request.customers, notes),
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
    outstanding: async (nowMs, limit): Promise<Outstanding> => ({
      due: ids("SELECT id FROM customers WHERE due_ms <= ? ORDER BY due_ms, id LIMIT ?", nowMs, limit),
      unpublished: ids("SELECT id FROM customers WHERE relay IS NOT NULL ORDER BY relay LIMIT ?", limit),
    }),
    shared: false,
    identity: async () => identityOf(db),
    holders: async (table, after, limit) => sqliteHolders(db, find, { table, after, limit }),
    ...sqliteEveryone(db),
    ...sqliteReads({ db, find, documents: sqliteReadDocuments(db) }),
    close: async () => db.close(),
  };
}

/** What lies side by side in the tables is written one behind the other: a page that several customers share is met once. */
function inKeyOrder(parts: readonly CustomerSave[]): readonly CustomerSave[] {
  return [...parts].sort((a, b) => (a.before.customerId < b.before.customerId ? -1 : 1));
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
