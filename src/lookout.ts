import { aborted, type Clock } from "./clock.ts";
import { codeOf } from "./errors.ts";
import type { Log } from "./log.ts";

/** What is looked after. */
export interface LookoutOptions {
  /** Its name in the log, such as `the store`. */
  readonly what: string;
  /** Asks it something that costs little; rejects when it does not answer. */
  readonly ask: () => Promise<void>;
  readonly clock: Clock;
  readonly log: Log;
}

/** Asks something again and again whether it is there, so that readiness does not depend on anybody using it. */
export interface Lookout {
  /** True while it does not answer, or takes too long to. */
  isAway(): boolean;
  /** Asks once. Never rejects. */
  look(): Promise<void>;
  /** Asks until the signal aborts; an answer that is still to come then is not waited for. */
  run(signal: AbortSignal): Promise<void>;
}

const PAUSE_MS = 1_000;
/** An answer that takes longer is none. */
const LATE_MS = 3_000;

/** A lookout that takes what it looks after to be there. */
export function createLookout({ what, ask, clock, log }: LookoutOptions): Lookout {
  let failed = false;
  let askedMs: number | null = null;
  const turn = (isFailed: boolean, reason: string): void => {
    if (isFailed && !failed) log.warn(`${what} does not answer`, { reason });
    if (!isFailed && failed) log.info(`${what} answers again`);
    failed = isFailed;
  };
  const look = async (): Promise<void> => {
    askedMs = clock.nowMs();
    try {
      await ask();
      turn(false, "");
    } catch (error) {
      turn(true, codeOf(error) ?? String(error));
    } finally {
      askedMs = null;
    }
  };
  return {
    isAway: () => failed || (askedMs !== null && clock.nowMs() - askedMs >= LATE_MS),
    look,
    run: async (signal) => {
      const stopped = aborted(signal);
      while (!signal.aborted) {
        await Promise.race([look(), stopped]);
        await clock.wait(PAUSE_MS, signal);
      }
    },
  };
}
