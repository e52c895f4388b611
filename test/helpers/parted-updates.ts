import { settle } from "./manual-clock.ts";
import type { Update } from "../../src/customer/customer.ts";
import type { StreamEntry, StreamRead, Updates } from "../../src/updates/updates.ts";

/** A stream of several parts in memory, each with an order of its own; a customer's updates are all in one part. */
export interface PartedUpdates {
  publish(updates: readonly Update[]): Promise<void>;
  /** The port as one process has it: `choose(n)` picks which of n parts it reads next. */
  reader(choose: (among: number) => number): Updates;
}

interface Vector {
  readonly moved: number;
  readonly places: readonly number[];
}

const parse = (cursor: string): Vector => {
  const [moved = "", places = ""] = cursor.split(":");
  return { moved: Number(moved), places: places.split(",").map(Number) };
};
const text = ({ moved, places }: Vector) => `${moved}:${places.join(",")}`;

/** A stream in so many parts; customers are spread by the first letter of their names. */
export function partedUpdates(count: number, nowMs: () => number): PartedUpdates {
  const parts: Update[][] = Array.from({ length: count }, () => []);
  const waiting = new Set<() => void>();
  const publish = async (updates: readonly Update[]) => {
    for (const update of updates) parts[update.customerId.charCodeAt(0) % count]?.push(update);
    for (const wake of [...waiting]) wake();
  };
  const tail = () => text({ moved: -1, places: parts.map(({ length }) => length) });
  const compare = (a: string, b: string): number => {
    const orders = parse(a).places.map((place, index) => place - (parse(b).places[index] ?? 0));
    const [least, most] = [Math.min(...orders), Math.max(...orders)];
    return least < 0 && most > 0 ? NaN : least + most;
  };
  const next = (after: Vector, choose: (among: number) => number): StreamEntry | null => {
    const open = parts.flatMap((part, index) => (part.length > (after.places[index] ?? 0) ? [index] : []));
    const moved = open[choose(open.length)];
    const update = moved === undefined ? undefined : parts[moved]?.[after.places[moved] ?? 0];
    if (moved === undefined || update === undefined) return null;
    const places = after.places.map((place, index) => (index === moved ? place + 1 : place));
    return { cursor: text({ moved, places }), update, publishedMs: nowMs() };
  };
  return {
    publish,
    reader: (choose) => ({
      publish,
      read: async (after, { limit, signal }): Promise<StreamRead> => {
        for (;;) {
          const entries: StreamEntry[] = [];
          const wanted = 1 + choose(limit);
          while (entries.length < wanted) {
            const entry = next(parse(entries.at(-1)?.cursor ?? after), choose);
            if (entry === null) break;
            entries.push(entry);
          }
          // Each in its own time: now and then another one is quicker.
          if (entries.length > 0) await settle(choose(4));
          if (entries.length > 0 || signal.aborted) return { kind: "entries", entries };
          await new Promise<void>((resolve) => {
            const wake = () => {
              waiting.delete(wake);
              signal.removeEventListener("abort", wake);
              resolve();
            };
            waiting.add(wake);
            signal.addEventListener("abort", wake, { once: true });
          });
        }
      },
      tail: async () => tail(),
      compare,
      onward: (at, entry) => {
        const [mine, its] = [parse(at), parse(entry)];
        if ((mine.places[its.moved] ?? 0) >= (its.places[its.moved] ?? 0)) return null;
        const places = its.places.map((place, index) => Math.max(place, mine.places[index] ?? 0));
        return text({ moved: its.moved, places });
      },
      close: async () => {},
    }),
  };
}
