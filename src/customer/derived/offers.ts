import type { Customer, OfferState } from "../customer.ts";
import { countOf } from "../lookup.ts";
import type { OfferPlan, Plan, Scope } from "../plan.ts";
import { hasCrossed } from "../versions.ts";

/** What decides about offers. */
export interface Earning {
  readonly crossings: Customer["crossings"];
  readonly scope: Scope;
  readonly nowMs: number;
}

/** The offers of a customer; the very same object when none changed. An offer never earned has no entry. */
export function deriveOffers(known: Customer["offers"], earning: Earning, plan: Plan): Customer["offers"] {
  let states: Record<string, OfferState> | null = null;
  let entries = 0;
  for (const [index, offer] of plan.offers.entries()) {
    const old = known[offer.name];
    const next = decide(offer, old, earning);
    // Until one changes, all those before it are as they were known.
    if (next !== old) states ??= only(known, plan.offers.slice(0, index));
    if (next === undefined) continue;
    if (states !== null) states[offer.name] = next;
    entries++;
  }
  if (states !== null) return states;
  return countOf(known) === entries ? known : only(known, plan.offers);
}

function only(known: Customer["offers"], offers: readonly OfferPlan[]): Record<string, OfferState> {
  const states: Record<string, OfferState> = {};
  for (const { name } of offers) if (known[name] !== undefined) states[name] = known[name];
  return states;
}

/** When the first open offer expires, milliseconds since 1970; null for never. */
export function nextExpiryMs(offers: Customer["offers"]): number | null {
  let next: number | null = null;
  for (const { state, expiresMs } of Object.values(offers)) {
    if (state === "TRIGGERED" && expiresMs !== null && (next === null || expiresMs < next)) next = expiresMs;
  }
  return next;
}

/**
 * One step of an offer's journal. An expired offer does not fire again by itself while it stays earned: it has to be lost and
 * earned once more.
 */
function decide(offer: OfferPlan, old: OfferState | undefined, earning: Earning): OfferState | undefined {
  const earned = isEarned(offer, earning);
  if (old === undefined) return earned ? trigger(offer, earning) : undefined;
  switch (old.state) {
    case "TRIGGERED":
      if (old.expiresMs !== null && earning.nowMs >= old.expiresMs) return expire(old, earned);
      return earned ? old : withdraw(offer, old, earning);
    case "WITHDRAWN":
      return earned ? trigger(offer, earning) : old;
    case "EXPIRED":
      if (old.rearmed === true) return earned ? trigger(offer, earning) : old;
      return earned ? old : { ...old, rearmed: true };
  }
}

function isEarned({ name, trigger, eligibility }: OfferPlan, { crossings, scope }: Earning): boolean {
  const triggered = trigger.kind === "crosses" ? hasCrossed(crossings[name]) : trigger.condition.holds(scope);
  return triggered && (eligibility === null || eligibility.holds(scope));
}

function trigger({ expiresAfterMs, reason }: OfferPlan, { scope, nowMs }: Earning): OfferState {
  const expiresMs = expiresAfterMs === null ? null : nowMs + expiresAfterMs;
  return { state: "TRIGGERED", triggeredMs: nowMs, expiresMs, endedMs: null, because: reason(scope) };
}

function expire(old: OfferState, earned: boolean): OfferState {
  const expired: OfferState = {
    ...old,
    state: "EXPIRED",
    endedMs: old.expiresMs,
    because: "Its time ran out.",
  };
  return earned ? expired : { ...expired, rearmed: true };
}

function withdraw(offer: OfferPlan, old: OfferState, { scope, nowMs }: Earning): OfferState {
  const { trigger, eligibility } = offer;
  const ineligible = eligibility !== null && !eligibility.holds(scope);
  const lost = ineligible
    ? eligibility.explain(scope)
    : trigger.kind === "when"
      ? trigger.condition.explain(scope)
      : `${trigger.text} no longer crossed`;
  return { ...old, state: "WITHDRAWN", endedMs: nowMs, because: `No longer earned: ${lost}.` };
}
