import type { Update } from "../../src/customer/customer.ts";
import { onwardInOrder } from "../../src/updates/updates.ts";
import type { StreamEntry, StreamRead, Updates } from "../../src/updates/updates.ts";

/** What memory updates can be asked beyond the port. */
export interface MemoryUpdates extends Updates {
  /** Everything published, in order, repeats left out. */
  readonly entries: readonly StreamEntry[];
  /** What `publish` was asked for, repeats included. */
  readonly asked: readonly Update[];
}

/** The Updates port in an array: never trims. */
export function memoryUpdates(nowMs: () => number = () => 0): MemoryUpdates {
  const entries: StreamEntry[] = [];
  const asked: Update[] = [];
  const seen = new Set<string>();
  const waiting = new Set<() => void>();
  const place = (cursor: string): number | null => (/^m\d+$/.test(cursor) ? Number(cursor.slice(1)) : null);
  const after = (count: number, limit: number): StreamRead => ({
    kind: "entries",
    entries: entries.slice(count, count + limit),
  });
  const compare = (a: string, b: string): number | null => {
    const [left, right] = [place(a), place(b)];
    return left === null || right === null ? null : left - right;
  };
  return {
    entries,
    asked,
    publish: async (updates) => {
      for (const update of updates) {
        asked.push(update);
        const id = `${update.customerId}/${update.revision}`;
        if (seen.has(id)) continue;
        seen.add(id);
        entries.push({ cursor: `m${entries.length + 1}`, update, publishedMs: nowMs() });
      }
      for (const wake of [...waiting]) wake();
    },
    read: async (cursor, { limit, signal }) => {
      const count = place(cursor);
      if (count === null || count > entries.length)
        return { kind: "gap", missed: null, reason: "RESTART", resumeAt: `m${entries.length}` };
      if (count === entries.length && !signal.aborted)
        await new Promise<void>((resolve) => {
          const wake = () => {
            waiting.delete(wake);
            signal.removeEventListener("abort", wake);
            resolve();
          };
          waiting.add(wake);
          signal.addEventListener("abort", wake, { once: true });
        });
      return after(count, limit);
    },
    tail: async () => `m${entries.length}`,
    compare,
    onward: onwardInOrder(compare),
    close: async () => {
      for (const wake of [...waiting]) wake();
    },
  };
}
