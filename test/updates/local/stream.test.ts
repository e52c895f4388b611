import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { bodyText } from "../../../src/store/document-text.ts";
import { openSqlite } from "../../../src/embedded/database.ts";
import { CHUNK_UPDATES } from "../../../src/updates/local/chunk.ts";
import { localStream } from "../../../src/updates/local/stream.ts";
import type { LocalStream } from "../../../src/updates/local/stream.ts";
import { update } from "../../contract/shapes.ts";

let folder = "";
let open: LocalStream[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "customer360-stream-"));
});
afterEach(async () => {
  for (const stream of open) stream.close();
  open = [];
  await rm(folder, { recursive: true });
});

const start = (keep = { count: 1_000_000, ageMs: 1_000_000 }): LocalStream => {
  const stream = localStream(join(folder, "x.db"), keep);
  open.push(stream);
  return stream;
};

const many = (count: number, revision = 1) =>
  Array.from({ length: count }, (_, index) => update(`c${index}`, revision));

const numbersAfter = (stream: LocalStream, seq: number, limit: number): readonly number[] => {
  const since = stream.since(seq, limit);
  if (since.kind === "gap") throw new Error("a gap");
  return since.entries.map((entry) => entry.seq);
};

test("reading may begin and end anywhere within what was published together", () => {
  const stream = start();
  const count = 2 * CHUNK_UPDATES + 5;
  stream.append(many(count), 1);
  stream.append(many(count, 2), 2);
  const all = Array.from({ length: 2 * count }, (_, index) => index + 1);
  for (const from of [0, 1, CHUNK_UPDATES - 1, CHUNK_UPDATES, CHUNK_UPDATES + 1, count - 1, count, 2 * count])
    for (const limit of [1, CHUNK_UPDATES, CHUNK_UPDATES + 1, 3 * count])
      expect(numbersAfter(stream, from, limit)).toEqual(all.slice(from, from + limit));
  const since = stream.since(count - 1, 2);
  expect(since).toMatchObject({
    entries: [
      { publishedMs: 1, update: update(`c${count - 1}`, 1) },
      { publishedMs: 2, update: update("c0", 2) },
    ],
  });
});

test("what was published before is known again after a restart, and when another process published it", () => {
  const first = start();
  first.append(many(100), 1);
  const second = start();
  expect(second.append([...many(100), update("new", 1)], 2).entries.map(({ seq }) => seq)).toEqual([101]);
  expect(first.append([update("new", 1), update("c5", 2), update("c5", 1)], 3).entries).toMatchObject([
    { seq: 102, update: { customerId: "c5", revision: 2 } },
  ]);
  expect(numbersAfter(first, 99, 10)).toEqual([100, 101, 102]);
});

const UNREADABLE = { get: (): number => JSON.parse("no") as number };

test("a publish that was undone is published when it is tried again", () => {
  const stream = start();
  const { freshness, ...rest } = update("ann", 1);
  const broken = { ...rest, freshness: Object.defineProperty({ ...freshness }, "appliedMs", UNREADABLE) };
  expect(() => stream.append([update("bob", 1), broken], 1)).toThrow("JSON");
  expect(stream.append([update("bob", 1), update("ann", 1)], 2).entries.map(({ seq }) => seq)).toEqual([
    1, 2,
  ]);
  expect(numbersAfter(stream, 0, 10)).toEqual([1, 2]);
});

test("no more is told than is kept, and what is kept goes by what was published together", () => {
  const stream = start({ count: 10, ageMs: 1_000_000 });
  const { keptFrom } = stream.append(many(CHUNK_UPDATES + 4), 1);
  expect(keptFrom).toBe(1);
  expect(stream.append(many(7, 2), 2).keptFrom).toBe(CHUNK_UPDATES + 1);
  expect(stream.since(CHUNK_UPDATES - 1, 100)).toMatchObject({ kind: "gap", missed: 1 });
  expect(numbersAfter(stream, CHUNK_UPDATES, 100)).toHaveLength(11);
});

test("the stream of an older program is taken over: cursors lead on, and what was published stays published", () => {
  const old = openSqlite({
    ...{ path: join(folder, "x.db"), sync: "checkpoint", version: 1, code: "UPDATES_UNAVAILABLE" },
    schema: `CREATE TABLE stream (only INTEGER PRIMARY KEY CHECK (only = 1), epoch TEXT NOT NULL, tail INTEGER NOT NULL);
      CREATE TABLE updates (seq INTEGER PRIMARY KEY, customer_id TEXT NOT NULL, revision INTEGER NOT NULL,
        published_ms INTEGER NOT NULL, body TEXT NOT NULL);
      CREATE UNIQUE INDEX updates_revision ON updates (customer_id, revision);
      INSERT INTO stream VALUES (1, 'feed', 7)`,
  });
  const { customer, ...announcement } = update("ann", 4);
  const { customerId, revision, dueMs, notes } = customer;
  const rest = JSON.stringify({ customerId, revision, dueMs, notes, outbox: [] });
  const text = `[${JSON.stringify(announcement)},${rest},${bodyText(customer)}]`;
  old.prepare("INSERT INTO updates VALUES (?, ?, ?, ?, ?)").run(7, "ann", 4, 99, text);
  old.close();
  const stream = start();
  expect([stream.epoch, stream.tail()]).toEqual(["feed", 7]);
  expect(stream.since(5, 10)).toMatchObject({ kind: "gap", missed: 1 });
  expect(stream.since(6, 10)).toEqual({
    kind: "entries",
    entries: [{ seq: 7, publishedMs: 99, update: update("ann", 4) }],
  });
  expect(stream.append([update("ann", 4), update("ann", 5)], 100).entries).toMatchObject([{ seq: 8 }]);
});
