import type { OfferPlan, SegmentPlan, TierPlan, TriggerPlan } from "../customer/plan.ts";
import { mayBeBroken, rootsOf, settle, withBroken } from "./building.ts";
import type { Building, Fields } from "./building.ts";
import { customerCondition, rowCondition } from "./cel/conditions.ts";
import type { Field } from "./cel/kinds.ts";
import { suggestion } from "./faults.ts";
import type { OfferEntry, SegmentEntry } from "./file.ts";
import { reason } from "./reason.ts";
import type { BuiltTable } from "./tables.ts";

/** Names a condition over a customer may use, before segments are added. */
export type ScopeFields = readonly (readonly [string, Fields])[];

const UNIT_MS: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

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

/** Compiles the offers. `scope` has everything: metrics, one-row tables, segments, settings. */
export function offers(
  building: Building,
  tables: ReadonlyMap<string, BuiltTable>,
  scope: ScopeFields,
): readonly OfferPlan[] {
  const roots = rootsOf(scope);
  return Object.entries(building.file.offers ?? {}).flatMap(([name, entry]): OfferPlan[] => {
    const path = ["offers", name];
    const on = trigger(building, { name, entry }, tables, scope);
    const eligibility =
      entry.eligibility === undefined
        ? null
        : settle(building, [...path, "eligibility"], customerCondition(entry.eligibility, roots));
    const words = settle(building, [...path, "reason"], reason(entry.reason, roots));
    if (on === null || words === null) return [];
    const { title, description = "" } = entry;
    return [
      {
        name,
        title,
        description,
        trigger: on,
        eligibility,
        expiresAfterMs: milliseconds(entry.expiresAfter),
        reason: words,
      },
    ];
  });
}

function trigger(
  building: Building,
  { name, entry }: { name: string; entry: OfferEntry },
  tables: ReadonlyMap<string, BuiltTable>,
  scope: ScopeFields,
): TriggerPlan | null {
  const path = ["offers", name, "trigger"];
  const { crosses, when, table } = entry.trigger;
  if ((crosses === undefined) === (when === undefined)) {
    building.report.atKey(path, "a trigger has either crosses (with table) or when");
    return null;
  }
  if (when !== undefined) {
    if (table !== undefined) building.report.atKey([...path, "table"], '"table" goes with crosses');
    const condition = settle(building, [...path, "when"], customerCondition(when, rootsOf(scope)));
    return condition === null ? null : { kind: "when", condition };
  }
  const oneRow = [...tables.values()].filter(({ plan }) => plan.rows === "one").map(({ plan }) => plan.name);
  const built = tables.get(table ?? "");
  if (built === undefined || built.plan.rows !== "one") {
    if (table === undefined)
      building.report.atKey(path, `crosses needs the table whose row crosses${suggestion("", oneRow)}`);
    else if (built !== undefined || !mayBeBroken(building, "tables", table)) {
      const text =
        built === undefined
          ? "is no declared table"
          : "has many rows per customer, and only a single row can cross";
      building.report.at([...path, "table"], `"${table}" ${text}${suggestion(table, oneRow)}`);
    }
    return null;
  }
  const condition = settle(building, [...path, "crosses"], rowCondition(crosses ?? "", built.roots));
  return condition === null
    ? null
    : { kind: "crosses", table: built.plan.name, condition, text: crosses ?? "" };
}

function milliseconds(span: string | undefined): number | null {
  return span === undefined ? null : Number(span.slice(0, -1)) * (UNIT_MS[span.slice(-1)] ?? 0);
}
