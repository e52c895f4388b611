import type { Clock } from "../clock.ts";

/** Turns of the event loop without anything new to wait for, after which the program counts as waiting for the clock alone. */
const QUIET_TURNS = 4;

interface Waiter {
  readonly dueMs: number;
  readonly resolve: () => void;
}

/** A clock that never makes anybody wait: time passes in steps, each as soon as the work of the one before is done. */
export interface SteppingClock extends Clock {
  /** Lets no time pass until `resume`; whoever waits meanwhile is still released by its signal. */
  pause(): void;
  resume(): void;
}

/** Begins at a time; each step is at least so many milliseconds, or as far as the next waiter when that is further. */
export function steppingClock(startMs: number, stepMs: number): SteppingClock {
  const waiters = new Set<Waiter>();
  let now = startMs;
  let quiet = 0;
  let paused = false;
  let turning = false;

  const step = () => {
    let next = Infinity;
    for (const { dueMs } of waiters) next = Math.min(next, dueMs);
    now = Math.max(now + stepMs, next);
    for (const waiter of [...waiters]) {
      if (waiter.dueMs > now) continue;
      waiters.delete(waiter);
      waiter.resolve();
    }
    quiet = 0;
  };
  const turn = () => {
    quiet += 1;
    if (quiet > QUIET_TURNS && !paused) step();
    turning = false;
    start();
  };
  const start = () => {
    if (turning || paused || waiters.size === 0) return;
    turning = true;
    setImmediate(turn);
  };
  return {
    nowMs: () => now,
    wait: (ms, signal) =>
      new Promise((resolve) => {
        if (signal.aborted) return resolve();
        const done = () => {
          signal.removeEventListener("abort", aborted);
          resolve();
        };
        const waiter: Waiter = { dueMs: now + ms, resolve: done };
        const aborted = () => {
          waiters.delete(waiter);
          done();
        };
        signal.addEventListener("abort", aborted, { once: true });
        waiters.add(waiter);
        quiet = 0;
        start();
      }),
    pause() {
      paused = true;
    },
    resume() {
      paused = false;
      start();
    },
  };
}
