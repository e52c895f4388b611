import type { Log } from "../../../log.ts";
import type { IndexSpec, MongoCollection } from "../client.ts";

/** Indexes made when somebody first wishes for them. */
export interface Wishes {
  /** Returns at once: queries do not wait for an index, and go without until it is there. */
  add(specs: readonly IndexSpec[]): void;
  /** Resolves when nothing is being made. */
  settled(): Promise<void>;
}

/** MongoDB keeps at most 64 indexes of a collection; some of them are declared. */
const MOST = 48;

/** Makes wished indexes of a collection one after the other, each once per process. */
export function createWishes(collection: MongoCollection, log: Log): Wishes {
  const known = new Set<string>();
  let making: Promise<void> = Promise.resolve();
  const make = async (spec: IndexSpec): Promise<void> => {
    const keys = JSON.stringify(spec.keys);
    try {
      const there = await collection.indexes();
      if (there.includes(keys)) return;
      if (there.length >= MOST) return log.warn("no room for another index: such queries scan", { keys });
      log.info("making an index that a query goes along", { keys });
      await collection.createIndexes([spec]);
    } catch (error) {
      log.warn("an index could not be made: such queries scan", { keys, reason: String(error) });
    }
  };
  return {
    add: (specs) => {
      for (const spec of specs) {
        const keys = JSON.stringify(spec.keys);
        if (known.has(keys)) continue;
        known.add(keys);
        making = making.then(() => make(spec));
      }
    },
    settled: () => making,
  };
}
