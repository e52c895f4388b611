import type { Clock } from "../../clock.ts";

/**
 * When a save last took along what waits for one: counts, checkpoints, confirmations. They go together, for a checkpoint must not vouch for records that
 * were never counted.
 */
export interface Notes {
  /** True when the save that is asked about is to take them along, which it then has. `now`: true for a save made for that. */
  areDue(now: boolean): boolean;
}

/** Notes that are taken along at most once in so many milliseconds; 0 for every time. */
export function createNotes({ nowMs }: Pick<Clock, "nowMs">, everyMs: number): Notes {
  let lastMs = -Infinity;
  return {
    areDue: (now) => {
      const atMs = nowMs();
      // A clock that was set back makes nothing wait longer.
      if (!now && atMs >= lastMs && atMs - lastMs < everyMs) return false;
      lastMs = atMs;
      return true;
    },
  };
}
