import type { Customer, SegmentState } from "./customer.ts";
import type { Plan, Scope, SegmentPlan } from "./plan.ts";

/** Where a customer stands in a segment, in the word that conditions and filters use. */
export function standingIn(state: SegmentState): string {
  return state.tier ?? state.state;
}

/**
 * The segments of a customer whose metrics and rows are given. A segment that stands where it stood keeps its very object, with
 * the time and the reason of its last move; the whole is the very same object when none moved.
 */
export function deriveSegments(
  known: Customer["segments"],
  { metrics, rows, nowMs }: Pick<Scope, "metrics" | "rows"> & { readonly nowMs: number },
  plan: Plan,
): Customer["segments"] {
  const states: Record<string, SegmentState> = {};
  const standings: Record<string, string> = {};
  const scope: Scope = { metrics, rows, segments: standings };
  let moved = Object.keys(known).length !== plan.segments.length;
  for (const segment of plan.segments) {
    const old = known[segment.name];
    const { state, tier, because } = stand(segment, scope);
    const stays = old !== undefined && old.state === state && old.tier === tier;
    const next = stays
      ? old
      : { state, tier, previousTier: old?.tier ?? null, enteredMs: nowMs, because: because() };
    moved ||= !stays;
    states[segment.name] = next;
    standings[segment.name] = standingIn(next);
  }
  return moved ? states : known;
}

type Standing = Pick<SegmentState, "state" | "tier"> & { readonly because: () => string };

function stand({ when, tiers, otherwise }: SegmentPlan, scope: Scope): Standing {
  if (when !== null) {
    return { state: when.holds(scope) ? "IN" : "OUT", tier: null, because: () => when.explain(scope) };
  }
  const tier = tiers.find((candidate) => candidate.when.holds(scope));
  const decisive = tier ?? tiers.at(-1);
  return {
    state: "IN",
    tier: tier?.name ?? otherwise,
    because: () => decisive?.when.explain(scope) ?? "every customer",
  };
}
