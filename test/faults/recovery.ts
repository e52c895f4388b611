import type { History } from "./history.ts";
import { PROBES } from "./history.ts";
import type { Subscriber } from "./subscriber.ts";
import type { Topics } from "./topics.ts";

/** Sees how soon a change of each partition is on the screens of both API processes. */
export interface Probing {
  /** Makes changes and waits until they were shown; answers after how many milliseconds. */
  probe(): Promise<number>;
}

/** Longer than any recovery may take; then the run ends with what it knows. */
const HOPELESS_MS = 180_000;

/** `watchers`: every subscriber of a probe's customer. */
export function probing(
  topics: Topics,
  history: History,
  watchers: ReadonlyMap<string, readonly Subscriber[]>,
): Probing {
  const told = new Map(PROBES.map((customer) => [customer, 0]));
  return {
    probe: async () => {
      const begun = performance.now();
      const patience = AbortSignal.timeout(HOPELESS_MS);
      await topics.produce(history.probes());
      for (const customer of PROBES) {
        const count = (told.get(customer) ?? 0) + 1;
        told.set(customer, count);
        const isShown = (log: Subscriber["log"]) => (log.shown(customer)?.payments ?? 0) >= count;
        await Promise.all((watchers.get(customer) ?? []).map((one) => one.until(isShown, patience)));
      }
      return performance.now() - begun;
    },
  };
}
