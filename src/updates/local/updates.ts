import type { Clock } from "../../clock.ts";
import { localStream } from "./stream.ts";
import type { Numbered } from "./stream.ts";
import { recentEntries } from "../recent-entries.ts";
import { oneByOne } from "../turns.ts";
import { lightUpdate } from "../update-text.ts";
import { onwardInOrder } from "../updates.ts";
import type { StreamCursor, StreamEntry, StreamRead, Updates } from "../updates.ts";

/** Where the stream is kept and for how long. */
export interface LocalUpdatesOptions {
  /**
   * The database file: the one of the store. Publishing syncs the file's log, and with it every save before: nobody is told
   * what a power failure could take back.
   */
  readonly path: string;
  readonly clock: Clock;
  /** What is kept: at most so many updates, none older than so many milliseconds. Default 50,000 and one day; tests keep less. */
  readonly keep?: { readonly count: number; readonly ageMs: number };
}

const KEEP = { count: 50_000, ageMs: 24 * 60 * 60 * 1_000 };

/** Newest entries kept in memory, so that those who follow the stream read objects and not text. */
const RECENT = 2_048;

/** How often a waiting reader looks whether another process published, milliseconds. */
const POLL_MS = 100;

/**
 * The Updates port in one SQLite file, for one machine.
 *
 * A cursor is `<epoch>.<seq>`: the epoch is random and made with the file, seq counts without holes. Documents are published
 * without outbox, and with one note per paged table that tells only its number of live rows.
 */
export function localUpdates({ path, clock, keep = KEEP }: LocalUpdatesOptions): Updates {
  const stream = localStream(path, keep);
  const recent = recentEntries<Numbered>(RECENT);
  const waiting = new Set<() => void>();
  const pages = oneByOne();
  let closed = false;

  const cursorAt = (seq: number): StreamCursor => `${stream.epoch}.${seq}`;
  const seqOf = (cursor: StreamCursor): number | null => {
    const match = /^([0-9a-f]+)\.(\d{1,15})$/.exec(cursor);
    return match?.[1] === stream.epoch ? Number(match[2]) : null;
  };
  const entryOf = ({ seq, update, publishedMs }: Numbered): StreamEntry => ({
    cursor: cursorAt(seq),
    update,
    publishedMs,
  });
  const compare = (a: StreamCursor, b: StreamCursor): number | null => {
    const [left, right] = [seqOf(a), seqOf(b)];
    return left === null || right === null ? null : left - right;
  };
  const wakeAll = () => {
    for (const wake of [...waiting]) wake();
  };

  /** What there is after a cursor, without waiting. */
  const peek = (after: StreamCursor, limit: number): StreamRead => {
    const seq = seqOf(after);
    const fast = seq === null ? null : recent.after(seq, limit);
    if (fast !== null)
      return { kind: "entries", entries: fast.map((numbered) => entryOf(lightNumbered(numbered))) };
    const since = stream.since(seq, limit);
    if (since.kind === "entries") return { kind: "entries", entries: since.entries.map(entryOf) };
    const { missed, tail } = since;
    return {
      kind: "gap",
      missed,
      reason: missed === null ? "RESTART" : "RETENTION",
      resumeAt: cursorAt(tail),
    };
  };

  return {
    publish: async (updates) => {
      if (updates.length === 0) return;
      const { entries, keptFrom } = stream.append(updates, clock.nowMs());
      recent.add(entries, keptFrom);
      if (entries.length > 0) wakeAll();
    },
    read: async (after, { limit, signal }) => {
      for (;;) {
        if (closed) return { kind: "entries", entries: [] };
        const found = peek(after, limit);
        // A whole page is the past, and nothing here waits for anything outside this process.
        if (found.kind === "entries" && found.entries.length === limit) await pages();
        if (found.kind === "gap" || found.entries.length > 0 || signal.aborted) return found;
        await pause({ clock, waiting, signal });
      }
    },
    tail: async () => cursorAt(stream.tail()),
    compare,
    onward: onwardInOrder(compare),
    close: async () => {
      closed = true;
      wakeAll();
      stream.close();
    },
  };
}

function lightNumbered({ seq, update, publishedMs }: Numbered): Numbered {
  return { seq, update: lightUpdate(update), publishedMs };
}

/** Until something is published here, or it is time to look at what other processes published. */
async function pause(of: {
  readonly clock: Clock;
  readonly waiting: Set<() => void>;
  readonly signal: AbortSignal;
}): Promise<void> {
  const waker = new AbortController();
  const wake = () => waker.abort();
  of.signal.addEventListener("abort", wake, { once: true });
  of.waiting.add(wake);
  try {
    if (!of.signal.aborted) await of.clock.wait(POLL_MS, waker.signal);
  } finally {
    of.waiting.delete(wake);
    of.signal.removeEventListener("abort", wake);
  }
}
