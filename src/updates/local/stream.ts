import { randomBytes } from "node:crypto";
import type { Update } from "../../customer/customer.ts";
import { forgetBodies } from "../../store/document-text.ts";
import { MIGRATIONS, SCHEMA_VERSION, UPDATES_SCHEMA } from "../../embedded/schema.ts";
import { openSqlite } from "../../embedded/database.ts";
import type { Sqlite } from "../../embedded/database.ts";
import { Utf8Text } from "../../store/utf8-text.ts";
import { CHUNK_UPDATES, readChunk, writeChunk } from "./chunk.ts";
import { reachedRevisions } from "./reached.ts";

/** An update with its number in the stream; numbers have no holes. */
export interface Numbered {
  readonly seq: number;
  readonly update: Update;
  readonly publishedMs: number;
}

/** What a publish did. */
export interface Appended {
  /** The updates that were new, as they were published. */
  readonly entries: readonly Numbered[];
  /** The first number still kept. */
  readonly keptFrom: number;
}

/** What there is after a number. */
export type Since =
  | { readonly kind: "entries"; readonly entries: readonly Numbered[] }
  /** Null `missed`: the number is one the stream has not reached. */
  | { readonly kind: "gap"; readonly missed: number | null; readonly tail: number };

/** The stream in its SQLite tables. Synchronous. */
export interface LocalStream {
  /** Random, made with the tables: tells this life of the stream from any other. */
  readonly epoch: string;
  /** The last number given out. */
  tail(): number;
  /** One durable write; leaves out revisions the customer has reached before, and trims a little. */
  append(updates: readonly Update[], nowMs: number): Appended;
  since(seq: number | null, limit: number): Since;
  close(): void;
}

/** Old updates are deleted in steps of so many, at most one step per publish. */
const TRIM_STEP = 1_000;

/** How often age is looked at, milliseconds. */
const TRIM_EVERY_MS = 1_000;

const INSERT = "INSERT INTO updates (last, first, published_ms, revisions, body) VALUES (?, ?, ?, ?, ?)";
const SELECT = "SELECT first, published_ms, body FROM updates WHERE last > ? ORDER BY last LIMIT 1";
const OLD =
  "SELECT max(last) FROM (SELECT last, published_ms FROM updates ORDER BY last LIMIT ?) WHERE published_ms < ?";

/** Opens the stream's tables in a file and keeps in them what `keep` says. */
export function localStream(
  path: string,
  keep: { readonly count: number; readonly ageMs: number },
): LocalStream {
  const db = openSqlite({
    path,
    schema: UPDATES_SCHEMA,
    version: SCHEMA_VERSION,
    migrations: MIGRATIONS,
    sync: "always",
    code: "UPDATES_UNAVAILABLE",
  });
  const epoch = epochOf(db);
  let trimAtMs = 0;

  const reached = reachedRevisions(db, keep.count);
  const scratch = new Utf8Text();

  const insert = (updates: readonly Update[], publishedMs: number): readonly Numbered[] => {
    const tail = tailOf(db);
    reached.catchUp(tail);
    const fresh: Update[] = [];
    for (const update of updates) {
      const { customerId, revision } = update;
      if (revision <= reached.of(customerId)) continue;
      reached.add(customerId, revision);
      fresh.push(update);
    }
    for (let from = 0; from < fresh.length; from += CHUNK_UPDATES) {
      const to = Math.min(from + CHUNK_UPDATES, fresh.length);
      const { revisions, body } = writeChunk(fresh.slice(from, to), scratch);
      db.prepare(INSERT).run(tail + to, tail + from + 1, publishedMs, revisions, body);
    }
    if (fresh.length > 0) db.prepare("UPDATE stream SET tail = ?").run(tail + fresh.length);
    return fresh.map((update, index) => ({ seq: tail + index + 1, update, publishedMs }));
  };

  const trim = (nowMs: number, step: number): number => {
    const tail = tailOf(db);
    const first = firstKept(db, tail);
    let below = Math.max(first, tail - keep.count + 1);
    if (nowMs >= trimAtMs) {
      trimAtMs = nowMs + TRIM_EVERY_MS;
      const old = db.prepare(OLD).get<[number | null]>(TRIM_STEP, nowMs - keep.ageMs)?.[0] ?? 0;
      below = Math.max(below, old + 1);
    }
    const keptFrom = Math.min(below, first + step);
    if (keptFrom <= first) return first;
    db.prepare("DELETE FROM updates WHERE last < ?").run(keptFrom);
    return firstKept(db, tail);
  };

  return {
    epoch,
    tail: () => tailOf(db),
    append(updates, nowMs) {
      try {
        return db.transaction("write", () => ({
          entries: insert(updates, nowMs),
          keptFrom: trim(nowMs, TRIM_STEP + 2 * updates.length),
        }));
      } catch (error) {
        reached.forget();
        throw error;
      } finally {
        forgetBodies();
      }
    },
    since: (seq, limit) =>
      db.transaction("read", (): Since => {
        const tail = tailOf(db);
        if (seq === null || seq > tail) return { kind: "gap", missed: null, tail };
        const missed = firstKept(db, tail) - 1 - seq;
        if (missed > 0) return { kind: "gap", missed, tail };
        return { kind: "entries", entries: entriesAfter(db, seq, { tail, limit }) };
      }),
    close: () => db.close(),
  };
}

function epochOf(db: Sqlite): string {
  return db.transaction("write", () => {
    const found = db.prepare("SELECT epoch FROM stream").get<[string]>();
    if (found !== null) return found[0];
    const epoch = randomBytes(8).toString("hex");
    db.prepare("INSERT INTO stream (only, epoch, tail) VALUES (1, ?, 0)").run(epoch);
    return epoch;
  });
}

function tailOf(db: Sqlite): number {
  return db.prepare("SELECT tail FROM stream").get<[number]>()?.[0] ?? 0;
}

function firstKept(db: Sqlite, tail: number): number {
  return db.prepare("SELECT first FROM updates ORDER BY last LIMIT 1").get<[number]>()?.[0] ?? tail + 1;
}

function entriesAfter(
  db: Sqlite,
  seq: number,
  { tail, limit }: { readonly tail: number; readonly limit: number },
): readonly Numbered[] {
  const entries: Numbered[] = [];
  for (let at = seq; at < tail && entries.length < limit;) {
    const chunk = db.prepare(SELECT).get<[number, number, Uint8Array]>(at);
    if (chunk === null) throw new Error(`the update stream has no number ${at + 1}`);
    const [first, publishedMs, body] = chunk;
    const found = readChunk(body, at + 1 - first, limit - entries.length);
    for (const update of found) entries.push({ seq: (at += 1), update, publishedMs });
  }
  return entries;
}
