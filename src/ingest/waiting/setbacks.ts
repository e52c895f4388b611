import type { Clock } from "../../clock.ts";

/** What keeps failing because of the world and is tried again, for whoever asks whether a process does its work. */
export interface Setbacks {
  /** An attempt failed. */
  failed(what: string, reason: string): void;
  /** An attempt succeeded. */
  over(what: string): void;
  /** What has been failing for longer than a passing outage takes: since when, and why the last time. */
  lasting(): readonly string[];
}

/** An election, a restart or a full queue is over by then, milliseconds. */
const LASTING_MS = 5_000;

/** Nothing has failed yet. */
export function createSetbacks(clock: Clock): Setbacks {
  const standing = new Map<string, { readonly sinceMs: number; readonly reason: string }>();
  return {
    failed: (what, reason) => {
      standing.set(what, { sinceMs: standing.get(what)?.sinceMs ?? clock.nowMs(), reason });
    },
    over: (what) => void standing.delete(what),
    lasting: () =>
      [...standing]
        .filter(([, { sinceMs }]) => clock.nowMs() - sinceMs >= LASTING_MS)
        .map(
          ([what, { sinceMs, reason }]) =>
            `${what} has failed since ${new Date(sinceMs).toISOString()}: ${reason}`,
        ),
  };
}
