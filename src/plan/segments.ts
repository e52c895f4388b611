import type { SegmentPlan, TierPlan } from "../customer/plan.ts";
import { rootsOf, settle, withBroken } from "./building.ts";
import type { Building, Fields } from "./building.ts";
import { customerCondition } from "./cel/conditions.ts";
import type { Field } from "./cel/kinds.ts";
import type { SegmentEntry } from "./file.ts";

/** Names a condition over a customer may use, before segments are added. */
export type ScopeFields = readonly (readonly [string, Fields])[];

/** Segments with the fields that conditions on them use. */
export interface SegmentsOutcome {
  readonly plans: readonly SegmentPlan[];
  readonly fields: Fields;
}

/** Compiles the segments in file order; each may use those before it. */
export function segments(building: Building, scope: ScopeFields): SegmentsOutcome {
  const fields = new Map<string, Field>();
  const plans: SegmentPlan[] = [];
  for (const [name, entry] of Object.entries(building.file.segments ?? {})) {
    const before = withBroken(building, "segments", new Map(fields));
    const plan = segment(building, { name, entry }, [...scope, ["segments", before]]);
    plans.push(plan);
    const choices = plan.when === null && entry.when === undefined ? tierNames(entry) : ["IN", "OUT"];
    fields.set(name, { kind: "string", wide: false, choices });
  }
  return { plans, fields: withBroken(building, "segments", fields) };
}

function tierNames(entry: SegmentEntry): readonly string[] {
  return [...Object.keys(entry.tiers ?? {}), ...(entry.otherwise === undefined ? [] : [entry.otherwise])];
}

function segment(
  building: Building,
  { name, entry }: { name: string; entry: SegmentEntry },
  scope: ScopeFields,
): SegmentPlan {
  const path = ["segments", name];
  const roots = rootsOf(scope);
  checkShape(building, name, entry);
  const tiers = Object.entries(entry.tiers ?? {}).flatMap(([tier, text]): TierPlan[] => {
    const when = settle(building, [...path, "tiers", tier], customerCondition(text, roots));
    return when === null ? [] : [{ name: tier, when }];
  });
  const when =
    entry.when === undefined
      ? null
      : settle(building, [...path, "when"], customerCondition(entry.when, roots));
  return { name, description: entry.description ?? "", tiers, otherwise: entry.otherwise ?? null, when };
}

function checkShape(building: Building, name: string, entry: SegmentEntry): void {
  const path = ["segments", name];
  const tiered = Object.keys(entry.tiers ?? {}).length > 0;
  if (tiered === (entry.when !== undefined)) {
    building.report.atKey(path, `segment "${name}" has either tiers with otherwise, or when`);
  }
  if (tiered && entry.otherwise === undefined) {
    building.report.atKey(path, `segment "${name}" does not say which tier remains: add otherwise`);
  }
  if (!tiered && entry.otherwise !== undefined)
    building.report.atKey([...path, "otherwise"], '"otherwise" goes with tiers');
  if (entry.otherwise !== undefined && entry.tiers?.[entry.otherwise] !== undefined) {
    building.report.at([...path, "otherwise"], `"${entry.otherwise}" is one of the tiers already`);
  }
  for (const tier of tierNames(entry)) {
    if (tier === "IN" || tier === "OUT")
      building.report.atKey(
        [...path, "tiers", tier],
        `"${tier}" is what a segment without tiers says; name the tier otherwise`,
      );
  }
}
