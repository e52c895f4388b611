import { systemClock } from "./clock.ts";
import type { Log } from "./log.ts";

/** What a step of the stop may take before the next one begins, and all of them together, milliseconds. */
const STOP_STEP_MS = 3_000;
const STOP_MS = 9_000;

/** One step of the stop: its name for the log, and what it waits for. */
export type StopStep = (name: string, work: () => Promise<unknown>) => Promise<void>;

/** Runs the steps of a stop: each is waited for, but no longer than its share, and all of them no longer than the deadline. */
export function createStop(log: Log): StopStep {
  const begunMs = systemClock.nowMs();
  return async (name, work) => {
    const patience = new AbortController();
    const leftMs = Math.max(0, begunMs + STOP_MS - systemClock.nowMs());
    const late = systemClock.wait(Math.min(STOP_STEP_MS, leftMs), patience.signal).then(() => {
      if (!patience.signal.aborted) log.warn("stopping without waiting any longer", { for: name });
    });
    const done = work().catch((error: unknown) =>
      log.error("stopping", { step: name, error: String(error) }),
    );
    await Promise.race([done, late]);
    patience.abort();
  };
}
