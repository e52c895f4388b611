import type { Customer } from "./customer.ts";
import { lookup } from "./lookup.ts";
import { type Derivable, deriveMetrics, sameOneRowTables, scopeRows } from "./metrics.ts";
import { deriveOffers, nextExpiryMs } from "./offers.ts";
import type { Plan, Scope } from "./plan.ts";
import { deriveSegments, standingIn } from "./segments.ts";

/** Everything derived of a customer. */
export type Derived = Pick<Customer, "metrics" | "segments" | "offers" | "dueMs">;

/**
 * Derives metrics, segments and offers from rows, totals and memory. What nothing that changed since `before` can have touched
 * is taken from `before`; the answer is the same as if all were derived anew.
 */
export function derive(
  before: Customer,
  after: Derivable,
  { plan, nowMs }: { readonly plan: Plan; readonly nowMs: number },
): Derived {
  const metrics = deriveMetrics(before, after, plan);
  const sameScope =
    before.revision > 0 && metrics === before.metrics && sameOneRowTables(before, after, lookup(plan));
  const isDue = before.dueMs !== null && nowMs >= before.dueMs;
  if (sameScope && !isDue && before.crossings === after.crossings) return before;
  const rows = scopeRows(after, plan);
  const segments = sameScope
    ? before.segments
    : deriveSegments(before.segments, { metrics, rows, nowMs }, plan);
  const scope: Scope = { metrics, rows, segments: standings(segments) };
  const offers = deriveOffers(before.offers, { crossings: after.crossings, scope, nowMs }, plan);
  const dueMs = offers === before.offers ? before.dueMs : nextExpiryMs(offers);
  return { metrics, segments, offers, dueMs };
}

function standings(segments: Customer["segments"]): Record<string, string> {
  const named: Record<string, string> = {};
  for (const name in segments) {
    const state = segments[name];
    if (state !== undefined) named[name] = standingIn(state);
  }
  return named;
}
