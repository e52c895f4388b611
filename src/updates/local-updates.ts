import { randomBytes } from "node:crypto";
import type { Clock } from "../clock.ts";
import type { Announcement, Customer, Update } from "../customer/customer.ts";
import type { Body } from "../store/document-text.ts";
import { bodyText, forgetBody, lightNotes } from "../store/document-text.ts";
import { SCHEMA_VERSION, UPDATES_SCHEMA } from "../store/sqlite-schema.ts";
import { storedText } from "../store/sql-text.ts";
import { openSqlite } from "../store/sqlite.ts";
import type { Sqlite } from "../store/sqlite.ts";
import type { StreamCursor, StreamEntry, StreamRead, Updates } from "./updates.ts";

/** Where the stream is kept and for how long. */
export interface LocalUpdatesOptions {
  /**
   * The database file: the one of the store. Publishing syncs the file's log, and with it every save before: nobody is told
   * what a power failure could take back.
   */
  readonly path: string;
  readonly clock: Clock;
  /** What is kept: at most so many updates, none older than so many milliseconds. Default 50,000 and one day. */
  readonly keep?: { readonly count: number; readonly ageMs: number };
}

const KEEP = { count: 50_000, ageMs: 24 * 60 * 60 * 1_000 };

/** Newest entries kept in memory, so that those who follow the stream read objects and not text. */
const RECENT = 2_048;

/** How often a waiting reader looks whether another process published, milliseconds. */
const POLL_MS = 100;

/** Old updates are deleted in steps of so many, at most one step per publish. */
const TRIM_STEP = 1_000;

/** How often age is looked at, milliseconds. */
const TRIM_EVERY_MS = 1_000;

/**
 * The Updates port in one SQLite file, for one machine.
 *
 * A cursor is `<epoch>.<seq>`: the epoch is random and made with the file, seq counts without holes. Documents are published
 * without outbox, and with one note per paged table that tells only its number of live rows.
 */
export function localUpdates({ path, clock, keep = KEEP }: LocalUpdatesOptions): Updates {
  const db = openSqlite({
    ...{ path, schema: UPDATES_SCHEMA, version: SCHEMA_VERSION },
    sync: "always",
    code: "UPDATES_UNAVAILABLE",
  });
  const epoch = epochOf(db);
  const recent = recentEntries();
  const waiting = new Set<() => void>();
  let trimAtMs = clock.nowMs() + TRIM_EVERY_MS;
  let closed = false;

  const cursorAt = (seq: number): StreamCursor => `${epoch}.${seq}`;
  const seqOf = (cursor: StreamCursor): number | null => {
    const match = /^([0-9a-f]+)\.(\d{1,15})$/.exec(cursor);
    return match?.[1] === epoch ? Number(match[2]) : null;
  };

  const append = (updates: readonly Update[], publishedMs: number): readonly Recent[] => {
    let seq = tailOf(db);
    const entries: Recent[] = [];
    for (const update of updates) {
      const id = storedText(update.customerId);
      const { revision } = update;
      if (db.prepare(INSERT).run(seq + 1, id, revision, publishedMs, updateText(update), id, revision) === 0)
        continue;
      seq += 1;
      entries.push({ seq, entry: { cursor: cursorAt(seq), update: light(update), publishedMs } });
    }
    if (entries.length > 0) db.prepare("UPDATE stream SET tail = ?").run(seq);
    return entries;
  };

  /** Answers the first sequence number kept. */
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

  /** What there is after a cursor, without waiting. */
  const peek = (after: StreamCursor, limit: number): StreamRead => {
    const seq = seqOf(after);
    const fast = seq === null ? null : recent.after(seq, limit);
    if (fast !== null) return { kind: "entries", entries: fast };
    return db.transaction("read", (): StreamRead => {
      const tail = tailOf(db);
      const resumeAt = cursorAt(tail);
      if (seq === null || seq > tail) return { kind: "gap", missed: null, reason: "RESTART", resumeAt };
      const missed = firstKept(db, tail) - 1 - seq;
      if (missed > 0) return { kind: "gap", missed, reason: "RETENTION", resumeAt };
      const rows = seq === tail ? [] : db.prepare(SELECT).all<StoredUpdate>(seq, limit);
      return {
        kind: "entries",
        entries: rows.map((row) => ({
          cursor: cursorAt(row[0]),
          update: parseUpdate(row),
          publishedMs: row[3],
        })),
      };
    });
  };

  /** Until something is published here, or it is time to look at what other processes published. */
  const pause = async (signal: AbortSignal): Promise<void> => {
    const waker = new AbortController();
    const wake = () => waker.abort();
    signal.addEventListener("abort", wake, { once: true });
    waiting.add(wake);
    try {
      if (!signal.aborted) await clock.wait(POLL_MS, waker.signal);
    } finally {
      waiting.delete(wake);
      signal.removeEventListener("abort", wake);
    }
  };

  return {
    publish: async (updates) => {
      if (updates.length === 0) return;
      const nowMs = clock.nowMs();
      const { entries, keptFrom } = db.transaction("write", () => ({
        entries: append(updates, nowMs),
        keptFrom: trim(nowMs, TRIM_STEP + 2 * updates.length),
      }));
      for (const { customer } of updates) forgetBody(customer);
      recent.add(entries, keptFrom);
      if (entries.length > 0) for (const wake of [...waiting]) wake();
    },
    read: async (after, { limit, signal }) => {
      for (;;) {
        if (closed) return { kind: "entries", entries: [] };
        const found = peek(after, limit);
        if (found.kind === "gap" || found.entries.length > 0 || signal.aborted) return found;
        await pause(signal);
      }
    },
    tail: async () => cursorAt(tailOf(db)),
    compare: (a, b) => {
      const [left, right] = [seqOf(a), seqOf(b)];
      return left === null || right === null ? null : left - right;
    },
    close: async () => {
      closed = true;
      for (const wake of [...waiting]) wake();
      db.close();
    },
  };
}

const INSERT = `INSERT INTO updates (seq, customer_id, revision, published_ms, body) SELECT ?, ?, ?, ?, ?
  WHERE NOT EXISTS (SELECT 1 FROM updates WHERE customer_id = ? AND revision >= ?)`;
const SELECT =
  "SELECT seq, customer_id, revision, published_ms, body FROM updates WHERE seq > ? ORDER BY seq LIMIT ?";
const OLD =
  "SELECT max(seq) FROM (SELECT seq, published_ms FROM updates ORDER BY seq LIMIT ?) WHERE published_ms < ?";

type StoredUpdate = readonly [
  seq: number,
  customerId: string,
  revision: number,
  publishedMs: number,
  body: string,
];

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

function light(update: Update): Update {
  const { customer } = update;
  return { ...update, customer: { ...customer, notes: lightNotes(customer.notes), outbox: [] } };
}

/** The body's text is the very one the store wrote, made once for both. */
function updateText({ customer, ...announcement }: Update): string {
  const { customerId, revision, dueMs, notes } = customer;
  const rest = JSON.stringify({ customerId, revision, dueMs, notes: lightNotes(notes), outbox: [] });
  return `[${JSON.stringify(announcement)},${rest},${bodyText(customer)}]`;
}

function parseUpdate([, , , , text]: StoredUpdate): Update {
  const [announcement, rest, body] = JSON.parse(text) as [Announcement, Omit<Customer, keyof Body>, Body];
  return { ...announcement, customer: { ...rest, ...body } };
}

interface Recent {
  readonly seq: number;
  readonly entry: StreamEntry;
}

/** The newest entries published by this process, without holes: when another process published in between, it begins anew. */
function recentEntries() {
  let kept: Recent[] = [];
  return {
    add(entries: readonly Recent[], keptFrom: number): void {
      if ((kept.at(-1)?.seq ?? 0) + 1 !== entries[0]?.seq && entries.length > 0) kept = [];
      kept.push(...entries);
      const surplus = kept.length > 2 * RECENT ? kept.length - RECENT : 0;
      const old = kept.findIndex(({ seq }) => seq >= keptFrom);
      const drop = Math.max(surplus, old < 0 ? kept.length : old);
      if (drop > 0) kept = kept.slice(drop);
    },
    /** Entries after a sequence number; null when there are none here, or not all. */
    after(seq: number, limit: number): readonly StreamEntry[] | null {
      const first = kept[0]?.seq;
      const from = first === undefined ? -1 : seq + 1 - first;
      return from < 0 || from >= kept.length
        ? null
        : kept.slice(from, from + limit).map(({ entry }) => entry);
    },
  };
}
