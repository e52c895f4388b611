import type { Clock } from "../../clock.ts";

/**
 * What is saved along with customers: counts, checkpoints, confirmations. They go together, for a checkpoint must not vouch for
 * records that were never counted; and they need not go with every save.
 */
export interface Bookkeeping {
  /** True when the save about to be made takes it along, which it then has. `now`: for a save that is made for nothing else. */
  goesAlong(now: boolean): boolean;
}

/** Bookkeeping that goes along at most once in so many milliseconds; 0 for every time. */
export function createBookkeeping({ nowMs }: Pick<Clock, "nowMs">, everyMs: number): Bookkeeping {
  let lastMs = -Infinity;
  return {
    goesAlong: (now) => {
      const atMs = nowMs();
      // A clock that was set back makes nothing wait longer.
      if (!now && atMs >= lastMs && atMs - lastMs < everyMs) return false;
      lastMs = atMs;
      return true;
    },
  };
}
