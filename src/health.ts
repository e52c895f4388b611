import type { Adapters } from "./adapters.ts";
import type { Clock } from "./clock.ts";
import type { Plan } from "./customer/plan.ts";
import { codeOf } from "./errors.ts";
import { strangeness } from "./ingest/derivation.ts";
import type { Setbacks } from "./ingest/waiting/setbacks.ts";
import type { Log } from "./log.ts";
import { createLookout } from "./lookout.ts";
import { createRedactor } from "./redact.ts";
import type { Status } from "./server/probes.ts";

/** What a process's health is made of. */
export interface HealthOptions {
  readonly plan: Plan;
  readonly parts: Pick<Adapters, "store" | "updates" | "status" | "checkUpdates">;
  /** Where ingest notes what keeps failing. */
  readonly setbacks: Setbacks;
  readonly clock: Clock;
  readonly log: Log;
}

/** How a process and what it depends on are doing. */
export interface Health {
  readonly status: Required<Pick<Status, "reasons" | "warnings">>;
  /**
   * Checks the update stream. Throws SETTINGS_INVALID for an update stream that would lose updates in silence;
   * one that is away only warns.
   */
  begin(): Promise<void>;
  /** Looks on until the signal aborts. */
  run(signal: AbortSignal): Promise<void>;
}

/** A check that could not be carried out is tried again after so long, milliseconds: it may be forbidden for good. */
const CHECK_AGAIN_MS = 60_000;

/** Messages of clients may hold the address they were given. */
const withoutSecrets = createRedactor([]);

/** Without the store there is no work; without the update stream there is, but subscribers see none of it. */
export function createHealth({ plan, parts, setbacks, clock, log }: HealthOptions): Health {
  const { store, updates } = parts;
  let strange: string | null = null;
  const check = createCheck(parts.checkUpdates, clock);
  const stores = createLookout({
    what: "the store",
    clock,
    log,
    ask: async () => {
      const found = strangeness(await store.derivation(), plan);
      if (found !== null && found !== strange) log.warn(found);
      strange = found;
    },
  });
  const streams = createLookout({
    what: "the update stream",
    clock,
    log,
    ask: async () => {
      await updates.tail();
      const fault = await check.whenDue();
      if (fault !== null) log.error(fault);
    },
  });
  return {
    status: {
      reasons: () => [
        ...(stores.isAway() ? ["not connected to the store"] : []),
        ...parts.status.reasons(),
        ...setbacks.lasting().map(withoutSecrets),
      ],
      warnings: () => [
        ...(streams.isAway() ? ["not connected to the update stream: subscriptions are stale"] : []),
        ...[strange, check.fault()].filter((warning) => warning !== null),
        ...(parts.status.warnings?.() ?? []),
      ],
    },
    begin: () => check.first(),
    run: async (signal) => {
      await Promise.all([stores.run(signal), streams.run(signal)]);
    },
  };
}

/** Checks the update stream once it can be: at the start if possible, else as soon as it is there. */
function createCheck(check: () => Promise<void>, clock: Clock) {
  let isDone = false;
  let nextMs = -Infinity;
  let fault: string | null = null;
  const attempt = async (): Promise<unknown> => {
    nextMs = clock.nowMs() + CHECK_AGAIN_MS;
    try {
      await check();
      isDone = true;
      return null;
    } catch (error) {
      return error;
    }
  };
  return {
    fault: () => fault,
    /** Throws what is wrong with the settings; an outage leaves the check to a later moment. */
    first: async (): Promise<void> => {
      const error = await attempt();
      if (error !== null && codeOf(error) !== "UPDATES_UNAVAILABLE") throw error;
      if (error !== null) nextMs = -Infinity;
    },
    /** What is wrong, if this is when it was found. */
    whenDue: async (): Promise<string | null> => {
      if (isDone || clock.nowMs() < nextMs) return null;
      const error = await attempt();
      if (error === null || codeOf(error) === "UPDATES_UNAVAILABLE") return null;
      isDone = true;
      fault = error instanceof Error ? error.message : String(error);
      return fault;
    },
  };
}
