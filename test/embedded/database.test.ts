import { mkdtemp, open as openFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { codeOf } from "../../src/errors.ts";
import { openSqlite } from "../../src/embedded/database.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "customer360-sqlite-"));
});
afterEach(() => rm(folder, { recursive: true }));

const open = (version = 1, schema = "CREATE TABLE IF NOT EXISTS t (a)", name = "x.db") =>
  openSqlite({ path: join(folder, name), sync: "checkpoint", version, schema, code: "STORE_UNAVAILABLE" });

const codeFrom = (work: () => unknown): string | null => {
  try {
    work();
    return null;
  } catch (error) {
    return codeOf(error);
  }
};

test("a file written by a newer program is refused and left as it is; by an older one, taken on", () => {
  open(2).close();
  expect(codeFrom(() => open(1))).toBe("STORE_INCOMPATIBLE");
  open(3).close();
  expect(codeFrom(() => open(2))).toBe("STORE_INCOMPATIBLE");
});

test("a database of another program is refused", () => {
  const db = open();
  db.exec("PRAGMA application_id = 7");
  db.close();
  expect(codeFrom(() => open())).toBe("STORE_INCOMPATIBLE");
});

test("a file that is no database is damaged, whenever it is found, and the remedy is said", async () => {
  await writeFile(
    join(folder, "text.db"),
    "this is not a database, only a text that is long enough to be one".repeat(30),
  );
  expect(() => open(1, "", "text.db")).toThrow(/text\.db is damaged \(SQLITE_NOTADB\): restore it/);
  expect(codeFrom(() => open(1, "", "text.db"))).toBe("STORE_DAMAGED");
});

test("a file that cannot be made is a failure with the given code", async () => {
  await writeFile(join(folder, "text"), "");
  expect(codeFrom(() => open(1, "", "text/below.db"))).toBe("STORE_UNAVAILABLE");
});

test("a page that holds nonsense is no outage: waiting does not repair it", async () => {
  const db = open();
  const insert = db.prepare("INSERT INTO t VALUES (?)");
  db.transaction("write", () => {
    for (let at = 0; at < 2_000; at += 1) insert.run("x".repeat(100));
  });
  db.close();
  const file = await openFile(join(folder, "x.db"), "r+");
  await file.write(Buffer.alloc(3 * 8_192, 0xa5), 0, 3 * 8_192, 2 * 8_192);
  await file.close();
  const damaged = open();
  expect(codeFrom(() => damaged.prepare("SELECT sum(length(a)) FROM t").get())).toBe("STORE_DAMAGED");
  damaged.close();
});

test("a missing folder is made", () => {
  open(1, "", join("a", "b", "x.db")).close();
});

test("rows come as plain tuples, without what the driver adds, nulls and blobs included", () => {
  const db = open();
  const insert = db.prepare("INSERT INTO t VALUES (?)");
  expect([null, 1.5, "ü", new Uint8Array([0, 255])].map((value) => insert.run(value))).toEqual([1, 1, 1, 1]);
  const values = db.prepare("SELECT a FROM t").all<[null]>();
  expect(values.map((row) => [...row])).toEqual([[null], [1.5], ["ü"], [Buffer.from([0, 255])]]);
  expect(db.prepare("SELECT a FROM t WHERE a = ?").get(1.5)).toEqual([1.5]);
  expect(db.prepare("SELECT a FROM t WHERE a = ?").get("none")).toBeNull();
  db.close();
});

test("a statement is prepared once for a text, unless it is not to be kept", () => {
  const db = open();
  expect(db.prepare("SELECT 1")).toBe(db.prepare("SELECT 1"));
  expect(db.prepareOnce("SELECT 1")).not.toBe(db.prepareOnce("SELECT 1"));
  expect(db.prepareOnce("SELECT 1").get()).toEqual([1]);
  db.close();
});

test("a transaction that throws leaves nothing behind", () => {
  const db = open();
  const insert = () => db.prepare("INSERT INTO t VALUES (1)").run();
  expect(() =>
    db.transaction("write", () => {
      insert();
      throw new Error("no");
    }),
  ).toThrow("no");
  expect(db.prepare("SELECT count(*) FROM t").get()).toEqual([0]);
  expect(db.transaction("write", insert)).toBe(1);
  expect(db.prepare("SELECT count(*) FROM t").get()).toEqual([1]);
  db.close();
});

test("a closed database says so", () => {
  const db = open();
  const count = db.prepare("SELECT count(*) FROM t");
  db.close();
  db.close();
  expect(() => count.get()).toThrow("closed");
});
