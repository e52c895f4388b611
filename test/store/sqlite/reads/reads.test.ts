import { expect, test } from "vitest";
import type { CustomerFilter } from "../../../../src/customer/values/filter.ts";
import { openSqlite, type Sqlite } from "../../../../src/embedded/database.ts";
import { STORE_SCHEMA } from "../../../../src/embedded/schema.ts";
import { sqliteReadDocuments } from "../../../../src/store/sqlite/reads/read-documents.ts";
import { sqliteReads } from "../../../../src/store/sqlite/reads/reads.ts";
import { sqliteTables } from "../../../../src/store/sqlite/tables.ts";
import { SHAPES } from "../../../contract/shapes.ts";

test("short filters are kept prepared, long ones, of which there is no end, are not", async () => {
  const db = openSqlite({
    ...{ path: ":memory:", sync: "checkpoint", version: 1, schema: STORE_SCHEMA },
    code: "STORE_UNAVAILABLE",
  });
  const kept: string[] = [];
  const watched: Sqlite = {
    ...db,
    prepare: (sql) => {
      kept.push(sql);
      return db.prepare(sql);
    },
  };
  const tables = sqliteTables(db, SHAPES);
  const reads = sqliteReads({ db: watched, tables, documents: sqliteReadDocuments(db) });
  const ask = async (count: number): Promise<number> => {
    const values = Array.from({ length: count }, (_, index) => `c${index}`);
    const filters = values.map((value): CustomerFilter => {
      return { kind: "field", field: { kind: "id" }, test: { op: "contains", value } };
    });
    const filter: CustomerFilter = { kind: "or", filters };
    kept.length = 0;
    expect(await reads.countCustomers(filter)).toBe(0);
    const by = { field: { kind: "id" }, direction: "asc" } as const;
    expect((await reads.listCustomers({ filter, orderBy: by, first: 1, after: null })).items).toEqual([]);
    return kept.filter((sql) => sql.includes("FROM facts")).length;
  };
  expect(await ask(2)).toBe(2);
  expect(await ask(900)).toBe(0);
  db.close();
});
