import { randomBytes } from "node:crypto";
import type { Update } from "../customer/customer.ts";
import { bulkInsert } from "../store/bulk.ts";
import { forgetBody } from "../store/document-text.ts";
import { SCHEMA_VERSION, UPDATES_SCHEMA } from "../store/sqlite-schema.ts";
import { storedText } from "../store/sql-text.ts";
import { openSqlite } from "../store/sqlite.ts";
import type { Sqlite, SqlValue } from "../store/sqlite.ts";
import { lightUpdate, updateOf, updateText } from "./update-text.ts";
import type { UpdateJson } from "./update-text.ts";

/** An update with its number in the stream; numbers have no holes. */
export interface Numbered {
  readonly seq: number;
  readonly update: Update;
  readonly publishedMs: number;
}

/** What a publish did. */
export interface Appended {
  /** The updates that were new, as readers get them. */
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

const UPDATES = {
  into: "updates",
  columns: ["seq", "customer_id", "revision", "published_ms", "body"],
  clause: "",
};
const REACHED = `SELECT j.value, (SELECT max(revision) FROM updates WHERE customer_id = j.value) FROM json_each(?) j`;
const SELECT = "SELECT seq, published_ms, body FROM updates WHERE seq > ? ORDER BY seq LIMIT ?";
const OLD =
  "SELECT max(seq) FROM (SELECT seq, published_ms FROM updates ORDER BY seq LIMIT ?) WHERE published_ms < ?";

/** Opens the stream's tables in a file and keeps in them what `keep` says. */
export function localStream(
  path: string,
  keep: { readonly count: number; readonly ageMs: number },
): LocalStream {
  const db = openSqlite({
    ...{ path, schema: UPDATES_SCHEMA, version: SCHEMA_VERSION },
    sync: "always",
    code: "UPDATES_UNAVAILABLE",
  });
  const epoch = epochOf(db);
  let trimAtMs = 0;

  const insertUpdates = bulkInsert(db, UPDATES);

  const insert = (updates: readonly Update[], publishedMs: number): readonly Numbered[] => {
    let seq = tailOf(db);
    const ids = updates.map(({ customerId }) => storedText(customerId));
    const reached = new Map(db.prepare(REACHED).all<[string, number | null]>(JSON.stringify(ids)));
    const entries: Numbered[] = [];
    const rows: SqlValue[][] = [];
    for (const [index, update] of updates.entries()) {
      const id = ids[index] ?? "";
      const { revision } = update;
      if (revision <= (reached.get(id) ?? 0)) continue;
      reached.set(id, revision);
      seq += 1;
      rows.push([seq, id, revision, publishedMs, updateText(update)]);
      entries.push({ seq, update: lightUpdate(update), publishedMs });
    }
    insertUpdates(rows);
    if (entries.length > 0) db.prepare("UPDATE stream SET tail = ?").run(seq);
    return entries;
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
    if (keptFrom > first) db.prepare("DELETE FROM updates WHERE seq < ?").run(keptFrom);
    return keptFrom;
  };

  return {
    epoch,
    tail: () => tailOf(db),
    append(updates, nowMs) {
      const appended = db.transaction("write", () => ({
        entries: insert(updates, nowMs),
        keptFrom: trim(nowMs, TRIM_STEP + 2 * updates.length),
      }));
      for (const { customer } of updates) forgetBody(customer);
      return appended;
    },
    since: (seq, limit) =>
      db.transaction("read", (): Since => {
        const tail = tailOf(db);
        if (seq === null || seq > tail) return { kind: "gap", missed: null, tail };
        const missed = firstKept(db, tail) - 1 - seq;
        if (missed > 0) return { kind: "gap", missed, tail };
        const rows = seq === tail ? [] : db.prepare(SELECT).all<[number, number, string]>(seq, limit);
        return {
          kind: "entries",
          entries: rows.map(([number, publishedMs, text]) => ({
            seq: number,
            update: updateOf(JSON.parse(text) as UpdateJson),
            publishedMs,
          })),
        };
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
  return db.prepare("SELECT min(seq) FROM updates").get<[number | null]>()?.[0] ?? tail + 1;
}
