import type { Customer } from "./customer.ts";
import { type Derivable, deriveMetrics, sameOneRowTables, scopeRows } from "./derived/metrics.ts";
import { deriveOffers, nextExpiryMs } from "./derived/offers.ts";
import { deriveSegments, type GrowingScope, standingIn } from "./derived/segments.ts";
import { lookup } from "./lookup.ts";
import type { Plan } from "./plan.ts";

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
  const scope = { metrics, rows: scopeRows(after, plan), segments: {} };
  const segments = sameScope
    ? standing(before.segments, scope)
    : deriveSegments(before.segments, { scope, nowMs }, plan);
  const offers = deriveOffers(before.offers, { crossings: after.crossings, scope, nowMs }, plan);
  const dueMs = offers === before.offers ? before.dueMs : nextExpiryMs(offers);
  return { metrics, segments, offers, dueMs };
}

/** Segments that stay where they are, noted in the scope. */
function standing(segments: Customer["segments"], scope: GrowingScope): Customer["segments"] {
  for (const name in segments) {
    const state = segments[name];
    if (state !== undefined) scope.segments[name] = standingIn(state);
  }
  return segments;
}
