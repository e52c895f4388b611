import type { Clock } from "../clock.ts";
import { apply } from "../customer/apply.ts";
import type { Customer, Update } from "../customer/customer.ts";
import type { Plan } from "../customer/plan.ts";
import type { Log } from "../log.ts";
import { noMetrics, type Metrics } from "../metrics.ts";
import { EMPTY_SAVE, type CustomerSave, type Store } from "../store/store.ts";
import type { Updates } from "../updates/updates.ts";
import { tellPublished } from "./remembered/counted.ts";
import { updatesOf } from "./remembered/published.ts";

/**
 * Does what no record will trigger: derives customers again when their time has come (an offer expires), and publishes what
 * was saved without a redelivery behind it. The naive way is to publish right after saving and be done; a crash in between
 * then leaves an announcement that nobody ever publishes. So such a save is marked, published, and only then confirmed; what
 * is not confirmed is published again, by whoever comes next, under the same ids.
 */
export interface Relay {
  /** Runs until the signal aborts, then finishes the round in hand. What was outstanding at the start is done at once. */
  run(signal: AbortSignal): Promise<void>;
}

/** What a relay is made of. */
export interface RelayOptions {
  readonly plan: Plan;
  readonly store: Store;
  readonly updates: Updates;
  readonly clock: Clock;
  readonly log: Log;
  /** Where it counts what it does; nowhere by default. */
  readonly metrics?: Metrics;
  /** Pause between looks, milliseconds; default 250. */
  readonly intervalMs?: number;
}

/** Customers looked after in one round. */
const ROUND_CUSTOMERS = 200;
const LONGEST_WAIT_MS = 10_000;

/** Looks after customers until told to stop. A round that fails is tried again later, after a growing pause. */
export function createRelay(options: RelayOptions): Relay {
  const { clock, log, intervalMs = 250 } = options;
  return {
    run: async (signal) => {
      let failures = 0;
      const faulty = new Set<string>();
      while (!signal.aborted) {
        let hasMore = false;
        try {
          hasMore = await round(options, faulty);
          failures = 0;
        } catch (error) {
          failures += 1;
          log.warn("the relay failed, trying again", { reason: String(error), failures });
        }
        const waitMs = Math.min(LONGEST_WAIT_MS, intervalMs * 2 ** Math.min(failures, 10));
        if (!hasMore) await clock.wait(waitMs, signal);
      }
    },
  };
}

/**
 * One look; true when there was as much to do as a round can take, and some of it was done. `faulty` remembers the customers
 * that cannot be derived: they stay due, so a look goes past as many more, or they would keep everybody else waiting.
 */
async function round(options: RelayOptions, faulty: Set<string>): Promise<boolean> {
  const { store, updates, clock, metrics = noMetrics } = options;
  const { due, unpublished } = await store.outstanding(clock.nowMs(), ROUND_CUSTOMERS + faulty.size);
  metrics.set("relay_customers", due.length, "due");
  metrics.set("relay_customers", unpublished.length, "unpublished");
  const ids = [...new Set([...due, ...unpublished])];
  if (ids.length === 0) return false;
  const { customers } = await store.load({ customers: ids, pages: [], keys: {} });
  const derived = await deriveDue(options, customers, { due: new Set(due), faulty });
  const unsent = unpublished.flatMap((id) => customers.get(id) ?? []);
  const ready = new Map([...unsent, ...derived].map((customer) => [customer.customerId, customer]));
  const announced: Update[] = [...ready.values()].flatMap((customer) => updatesOf(customer, customer.outbox));
  if (announced.length > 0) await updates.publish(announced);
  tellPublished({ metrics, clock }, announced);
  const confirms = [...ready.values()].map(({ customerId, revision }) => ({ customerId, revision }));
  if (confirms.length > 0) await store.save({ ...EMPTY_SAVE, confirms });
  return confirms.length > 0 && (due.length >= ROUND_CUSTOMERS || unpublished.length >= ROUND_CUSTOMERS);
}

/** Derives due customers again and saves them; those somebody else saved meanwhile are left for the next round. */
async function deriveDue(
  { plan, store, clock, log }: RelayOptions,
  customers: ReadonlyMap<string, Customer>,
  { due, faulty }: { readonly due: ReadonlySet<string>; readonly faulty: Set<string> },
): Promise<readonly Customer[]> {
  const nowMs = clock.nowMs();
  const saves: CustomerSave[] = [];
  for (const [customerId, before] of customers) {
    if (!due.has(customerId)) continue;
    try {
      const { customer: after } = apply(
        { customer: before, pages: [], changes: [], truncates: {}, nowMs },
        plan,
      );
      if (after !== before) saves.push({ before, after, pages: [], relay: true });
      faulty.delete(customerId);
    } catch (error) {
      if (!faulty.has(customerId)) {
        const { dueMs, revision } = before;
        log.error("a due customer cannot be derived", { dueMs, revision, reason: String(error) });
      }
      faulty.add(customerId);
    }
  }
  if (saves.length === 0) return [];
  const { conflicts } = await store.save({ ...EMPTY_SAVE, customers: saves });
  return saves.map(({ after }) => after).filter(({ customerId }) => !conflicts.has(customerId));
}
