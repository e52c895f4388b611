import type { Customer, SegmentState } from "../customer.ts";
import { countOf } from "../lookup.ts";
import type { Plan, Scope, SegmentPlan, TierPlan } from "../plan.ts";

/** Where a customer stands in a segment, in the word that conditions and filters use. */
export function standingIn(state: SegmentState): string {
  return state.tier ?? state.state;
}

/** A scope that learns where each segment stands, for those after it. */
export interface GrowingScope extends Scope {
  readonly segments: Record<string, string>;
}

/**
 * The segments of a customer; notes in the scope where each stands. A segment that stands where it stood keeps its very object,
 * with the time and the reason of its last move; the whole is the very same object when none moved.
 */
export function deriveSegments(
  known: Customer["segments"],
  { scope, nowMs }: { readonly scope: GrowingScope; readonly nowMs: number },
  { segments }: Plan,
): Customer["segments"] {
  let states: Record<string, SegmentState> | null = countOf(known) === segments.length ? null : {};
  for (const [index, segment] of segments.entries()) {
    const { name } = segment;
    const old = known[name];
    const next = stand(segment, old, { scope, nowMs });
    // Until one moves, all those before it are as they were known.
    if (next !== old) states ??= only(known, segments.slice(0, index));
    if (states !== null) states[name] = next;
    scope.segments[name] = standingIn(next);
  }
  return states ?? known;
}

/** The very same state while the customer stays where it is. */
function stand(
  segment: SegmentPlan,
  old: SegmentState | undefined,
  { scope, nowMs }: { readonly scope: Scope; readonly nowMs: number },
): SegmentState {
  const { when, tiers, otherwise } = segment;
  const found = when === null ? tierIn(segment, scope) : undefined;
  const tier = when === null ? (found?.name ?? otherwise) : null;
  const state = when === null || when.holds(scope) ? "IN" : "OUT";
  if (old !== undefined && old.state === state && old.tier === tier) return old;
  const decisive = when ?? (found ?? tiers.at(-1))?.when;
  const because = decisive?.explain(scope) ?? "every customer";
  return { state, tier, previousTier: old?.tier ?? null, enteredMs: nowMs, because };
}

/** The first tier whose condition holds. */
function tierIn({ tiers }: SegmentPlan, scope: Scope): TierPlan | undefined {
  for (const tier of tiers) if (tier.when.holds(scope)) return tier;
  return undefined;
}

function only(known: Customer["segments"], segments: readonly SegmentPlan[]): Record<string, SegmentState> {
  const states: Record<string, SegmentState> = {};
  for (const { name } of segments) if (known[name] !== undefined) states[name] = known[name];
  return states;
}
