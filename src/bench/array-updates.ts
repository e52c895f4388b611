import type { Update } from "../customer/customer.ts";
import { createBell } from "../ingest/waiting/bell.ts";
import { onwardInOrder } from "../updates/updates.ts";
import type { StreamCursor, StreamEntry, Updates } from "../updates/updates.ts";

/** Entries kept for readers; those who listen are never that far behind. */
const KEPT = 20_000;

/** An update stream over an array: for measures of what comes after the stream. Not durable, nothing is checked. */
export function arrayUpdates(): Updates {
  let entries: StreamEntry[] = [];
  let first = 1;
  const published = createBell();
  const cursorAt = (seq: number): StreamCursor => String(seq);
  const tail = () => first + entries.length - 1;
  const compare = (a: StreamCursor, b: StreamCursor) => Number(a) - Number(b);
  return {
    publish(updates: readonly Update[]) {
      const publishedMs = Date.now();
      for (const update of updates) entries.push({ cursor: cursorAt(tail() + 1), update, publishedMs });
      const surplus = entries.length - 2 * KEPT;
      if (surplus > 0) {
        entries = entries.slice(surplus + KEPT);
        first += surplus + KEPT;
      }
      published.ring();
      return Promise.resolve();
    },
    async read(after, { limit, signal }) {
      for (;;) {
        const from = Number(after) + 1 - first;
        if (from < 0) return { kind: "gap", missed: -from, reason: "RETENTION", resumeAt: cursorAt(tail()) };
        const found = entries.slice(from, from + limit);
        if (found.length > 0 || signal.aborted) return { kind: "entries", entries: found };
        await published.heard(signal);
      }
    },
    tail: () => Promise.resolve(cursorAt(tail())),
    compare,
    onward: onwardInOrder(compare),
    close: () => Promise.resolve(),
  };
}
