import type { Tally } from "../../store/store.ts";

/** Counters waiting to be saved with the next write. */
export interface Tallies {
  /** A negative count takes back what was counted too early. */
  add(name: Omit<Tally, "count">, count?: number): void;
  /** Everything counted since the last call, zeros left out. */
  take(): readonly Tally[];
  /** True when nothing waits. */
  isEmpty(): boolean;
}

interface Counter extends Omit<Tally, "count"> {
  count: number;
}

/** Counts in memory; `add` costs two look-ups and allocates only for a name it has not met since the last `take`. */
export function createTallies(): Tallies {
  let tables = new Map<string, Map<string, Counter>>();
  return {
    add: ({ table, kind, label }, count = 1) => {
      let counters = tables.get(table);
      if (counters === undefined) tables.set(table, (counters = new Map()));
      // Labels of different kinds never coincide: rules hold a colon, verdicts and skips are closed lists.
      const counter = counters.get(label);
      if (counter === undefined) counters.set(label, { table, kind, label, count });
      else counter.count += count;
    },
    take: () => {
      const taken = [...tables.values()].flatMap((counters) => [...counters.values()]);
      tables = new Map();
      return taken.filter(({ count }) => count !== 0);
    },
    isEmpty: () => tables.size === 0,
  };
}
