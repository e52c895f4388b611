import type { Customer } from "./customer.ts";
import { deriveMetrics, sameOneRowTables, scopeRows } from "./metrics.ts";
import { deriveOffers, nextExpiryMs } from "./offers.ts";
import type { Plan, Scope } from "./plan.ts";
import { deriveSegments, standingIn } from "./segments.ts";

/**
 * Derives metrics, segments and offers of `after` from its rows, totals and memory. What nothing that changed since `before`
 * can have touched is taken from `before`; the answer is the same as if all were derived anew.
 */
export function derive(
  before: Customer,
  after: Customer,
  { plan, nowMs }: { plan: Plan; nowMs: number },
): Customer {
  const metrics = deriveMetrics(before, after, plan);
  const settled =
    metrics === before.metrics && isDerived(before, plan) && sameOneRowTables(before, after, plan);
  const isDue = before.dueMs !== null && nowMs >= before.dueMs;
  if (settled && !isDue && before.crossings === after.crossings) {
    const { segments, offers, dueMs } = before;
    return { ...after, metrics, segments, offers, dueMs };
  }
  const rows = scopeRows(after, plan);
  const segments = settled
    ? before.segments
    : deriveSegments(before.segments, { metrics, rows, nowMs }, plan);
  const scope: Scope = { metrics, rows, segments: standings(segments) };
  const offers = deriveOffers(before.offers, { crossings: after.crossings, scope, nowMs }, plan);
  return { ...after, metrics, segments, offers, dueMs: nextExpiryMs(offers) };
}

function standings(segments: Customer["segments"]): Record<string, string> {
  const named: Record<string, string> = {};
  for (const name in segments) {
    const state = segments[name];
    if (state !== undefined) named[name] = standingIn(state);
  }
  return named;
}

/** False for a document that was never derived by this plan. */
function isDerived({ segments, revision }: Customer, plan: Plan): boolean {
  return revision > 0 && Object.keys(segments).length === plan.segments.length;
}
