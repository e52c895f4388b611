import type { Clock } from "../../src/clock.ts";

/** A clock that stands still until a test moves it. */
export interface ManualClock extends Clock {
  /**
   * Moves on by so many milliseconds, waking sleepers in order of their time; each is given room to run
   * (and to sleep again) before the next is woken.
   */
  advance(ms: number): Promise<void>;
  /** Jumps without waking anybody: what a step of the system clock does. */
  set(nowMs: number): void;
  /** How many are asleep. */
  sleepers(): number;
  /** Resolves once so many are asleep (default one). */
  asleep(count?: number): Promise<void>;
}

/** Lets everything that can run without the clock run: promises, and I/O that is already done. */
export async function settle(turns = 5): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1) await new Promise<void>((resolve) => setImmediate(resolve));
}

/** A clock for tests; starts at 2024-01-01T00:00:00Z unless told otherwise. */
export function manualClock(startMs = Date.UTC(2024, 0, 1)): ManualClock {
  interface Sleeper {
    readonly atMs: number;
    readonly wake: () => void;
  }
  let nowMs = startMs;
  const sleepers = new Set<Sleeper>();
  const next = (untilMs: number): Sleeper | undefined => {
    let first: Sleeper | undefined;
    for (const sleeper of sleepers)
      if (sleeper.atMs <= untilMs && (first === undefined || sleeper.atMs < first.atMs)) first = sleeper;
    return first;
  };
  return {
    nowMs: () => nowMs,
    wait: (ms, signal) =>
      new Promise((resolve) => {
        if (signal.aborted) return resolve();
        const wake = () => {
          sleepers.delete(sleeper);
          signal.removeEventListener("abort", wake);
          resolve();
        };
        const sleeper: Sleeper = { atMs: nowMs + ms, wake };
        sleepers.add(sleeper);
        signal.addEventListener("abort", wake, { once: true });
      }),
    advance: async (ms) => {
      const untilMs = nowMs + ms;
      await settle();
      for (let sleeper = next(untilMs); sleeper !== undefined; sleeper = next(untilMs)) {
        nowMs = Math.max(nowMs, sleeper.atMs);
        sleeper.wake();
        await settle();
      }
      nowMs = untilMs;
    },
    set: (ms) => {
      nowMs = ms;
    },
    sleepers: () => sleepers.size,
    asleep: async (count = 1) => {
      while (sleepers.size < count) await settle(1);
    },
  };
}
