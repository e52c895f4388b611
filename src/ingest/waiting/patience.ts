import type { Clock } from "../../clock.ts";
import { codeOf } from "../../errors.ts";
import type { Log } from "../../log.ts";
import type { Metrics } from "../../metrics.ts";
import type { Setbacks } from "./setbacks.ts";

/**
 * Repeats what an outage made fail until it succeeds. An outage is not a reason to give up a record: the world is waited for,
 * as long as it takes. Once the signal has aborted an attempt is still made (the batch in hand is finished), but a failed one
 * is the last.
 */
export type Patience = <T>(what: string, attempt: () => Promise<T>) => Promise<T>;

/** Thrown when the signal aborted while something kept failing: the work in hand stays unacknowledged. */
export class Stopped extends Error {
  override readonly name = "Stopped";
}

const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 10_000;
/** Failures of the world, which pass. Anything else is a fault of ours, and repeating it would only hide it. */
const OUTAGES: ReadonlyMap<string | null, string> = new Map([
  ["STORE_UNAVAILABLE", "store"],
  ["SOURCE_UNAVAILABLE", "source"],
  ["UPDATES_UNAVAILABLE", "updates"],
]);

/** True for a failure of the world, which passes. */
export function isOutage(error: unknown): boolean {
  return OUTAGES.has(codeOf(error));
}

/** Counts an attempt that an outage made fail. */
export function countRetry(metrics: Metrics, outage: unknown): void {
  metrics.add("retries_total", 1, OUTAGES.get(codeOf(outage)) ?? "other");
}

/** Waits 100 ms after the first failure and twice as long after each further one, at most 10 s. */
export function createPatience(parts: {
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly setbacks: Setbacks;
  readonly signal: AbortSignal;
}): Patience {
  const { clock, log, metrics, setbacks, signal } = parts;
  return async (what, attempt) => {
    for (let failures = 0; ; failures += 1) {
      try {
        const result = await attempt();
        if (failures > 0) log.info(`${what} works again`, { failures });
        setbacks.over(what);
        return result;
      } catch (error) {
        if (!isOutage(error)) throw error;
        countRetry(metrics, error);
        setbacks.failed(what, error instanceof Error ? error.message : String(error));
        const waitMs = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(failures, 20));
        log.warn(`${what} failed, trying again`, { reason: String(error), failures: failures + 1, waitMs });
        if (signal.aborted) throw new Stopped(`${what} kept failing until the stop`, { cause: error });
        await clock.wait(waitMs, signal);
      }
    }
  };
}
