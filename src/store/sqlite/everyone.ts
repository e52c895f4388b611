import type { Sqlite } from "../../embedded/database.ts";
import type { Everyone } from "../store.ts";
import { originalText, storedText } from "../stored-text.ts";

/** Keeps the first proposal under a name, and answers it ever after. */
export function agreedIn(db: Sqlite, name: string, proposal: string): string {
  const key = `agreed:${name}`;
  db.prepare("INSERT INTO meta VALUES (?, ?) ON CONFLICT DO NOTHING").run(key, proposal);
  return db.prepare("SELECT value FROM meta WHERE name = ?").get<[string]>(key)?.[0] ?? proposal;
}

/** Walks all documents and pages, and keeps what they are derived under; `settle` brings them up to date. */
export function sqliteEveryone(db: Sqlite, settle: () => void): Everyone {
  return {
    derivation: async () =>
      db.prepare("SELECT value FROM meta WHERE name = 'derivation'").get<[string]>()?.[0] ?? null,
    noteDerivation: async (text) => {
      db.prepare(
        "INSERT INTO meta VALUES ('derivation', ?) ON CONFLICT DO UPDATE SET value = excluded.value",
      ).run(text);
    },
    everyone: async (after, limit) => {
      settle();
      return db
        .prepare("SELECT id FROM customers WHERE ?1 IS NULL OR id > ?1 ORDER BY id LIMIT ?2")
        .all<[string]>(after === null ? null : storedText(after), limit)
        .map(([id]) => originalText(id));
    },
    pagesOf: async (customerIds) => {
      settle();
      return db
        .prepare(
          "SELECT customer_id, tbl, page FROM pages WHERE customer_id IN (SELECT value FROM json_each(?))",
        )
        .all<[string, string, string]>(JSON.stringify(customerIds.map(storedText)))
        .map(([id, table, page]) => ({ customerId: originalText(id), table, page }));
    },
  };
}
