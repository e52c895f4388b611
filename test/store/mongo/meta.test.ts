import { expect, test } from "vitest";
import type { Mongo, MongoCollection, Search } from "../../../src/store/mongo/client.ts";
import { checkVersion, versionOf } from "../../../src/store/mongo/meta.ts";
import { SCHEMA_VERSION } from "../../../src/store/mongo/schema.ts";

/** A database that holds these, by collection and id; `beforeFind` is told of each look. */
function databaseOf(
  held: Record<string, string[]>,
  beforeFind: (collection: string) => void = () => {},
): Mongo {
  const unused = (): never => {
    throw new Error("not used here");
  };
  const collection = (name: string): MongoCollection => ({
    find: ((search: Search) => {
      beforeFind(name);
      const ids = (held[name] ?? []).filter((id) => (search.filter["_id"] ?? id) === id);
      return Promise.resolve(ids.map((id) => ({ _id: id, value: SCHEMA_VERSION })));
    }) as MongoCollection["find"],
    write: (writes) => {
      for (const write of writes)
        if ("filter" in write) (held[name] ??= []).push(String(write.filter["_id"]));
      return Promise.resolve({ matched: 0, duplicates: new Set() });
    },
    ...{
      aggregate: unused,
      count: unused,
      createIndexes: unused,
      indexes: unused,
      explain: unused,
      remove: unused,
    },
  });
  const database = { kind: unused, nowMs: unused, drop: unused, close: unused };
  return { where: "here/bank", collection, readable: collection, ...database };
}

test("an empty database is nobody's, and ours once it was checked", async () => {
  const mongo = databaseOf({});
  expect(await versionOf(mongo)).toBe("none");
  await checkVersion(mongo);
  expect(await versionOf(mongo)).toBe(SCHEMA_VERSION);
});

test("customers without our mark are another program's", async () => {
  const mongo = databaseOf({ customers: ["c1"] });
  expect(await versionOf(mongo)).toBe("foreign");
  await expect(checkVersion(mongo)).rejects.toThrow("holds the customers of another program");
});

test("a database that another process of ours makes while it is looked at is no stranger's", async () => {
  const held: Record<string, string[]> = {};
  const mongo = databaseOf(held, (collection) => {
    if (collection !== "customers") return;
    held["meta"] = ["customer360"];
    held["customers"] = ["c1"];
  });
  expect(await versionOf(mongo)).toBe(SCHEMA_VERSION);
});
