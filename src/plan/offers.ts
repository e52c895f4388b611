import type { OfferPlan, TriggerPlan } from "../customer/plan.ts";
import { mayBeBroken, rootsOf, settle } from "./building.ts";
import type { Building } from "./building.ts";
import { customerCondition, rowCondition } from "./cel/conditions.ts";
import { suggestion } from "./faults.ts";
import type { OfferEntry } from "./file.ts";
import { reason } from "./reason.ts";
import type { ScopeFields } from "./segments.ts";
import type { BuiltTable } from "./tables.ts";

const UNIT_MS: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/** Compiles the offers. `scope` has everything: metrics, one-row tables, segments, settings. */
export function offers(
  building: Building,
  tables: ReadonlyMap<string, BuiltTable>,
  scope: ScopeFields,
): readonly OfferPlan[] {
  const roots = rootsOf(scope);
  return Object.entries(building.file.offers ?? {}).flatMap(([name, entry]): OfferPlan[] => {
    const path = ["offers", name];
    const on = trigger(building, { name, entry }, { tables, scope });
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

interface Named {
  readonly name: string;
  readonly entry: OfferEntry;
}

/** What a trigger may name. */
interface Known {
  readonly tables: ReadonlyMap<string, BuiltTable>;
  readonly scope: ScopeFields;
}

function trigger(building: Building, { name, entry }: Named, { tables, scope }: Known): TriggerPlan | null {
  const path = ["offers", name, "trigger"];
  const { crosses, when, table } = entry.trigger;
  if (crosses !== undefined && when === undefined)
    return crossing(building, { path, text: crosses, table }, tables);
  if (when === undefined || crosses !== undefined) {
    building.report.atKey(path, "a trigger has either crosses (with table) or when");
    return null;
  }
  if (table !== undefined) building.report.atKey([...path, "table"], '"table" goes with crosses');
  const condition = settle(building, [...path, "when"], customerCondition(when, rootsOf(scope)));
  return condition === null ? null : { kind: "when", condition };
}

interface Crossing {
  readonly path: readonly string[];
  readonly text: string;
  readonly table: string | undefined;
}

function crossing(
  building: Building,
  { path, text, table }: Crossing,
  tables: ReadonlyMap<string, BuiltTable>,
): TriggerPlan | null {
  const built = tables.get(table ?? "");
  if (built === undefined || built.plan.rows !== "one") {
    reportTable(building, { path, table, built }, tables);
    return null;
  }
  const condition = settle(building, [...path, "crosses"], rowCondition(text, built.roots));
  return condition === null ? null : { kind: "crosses", table: built.plan.name, condition, text };
}

/** Says why no row of this table can cross. */
function reportTable(
  building: Building,
  { path, table, built }: Omit<Crossing, "text"> & { readonly built: BuiltTable | undefined },
  tables: ReadonlyMap<string, BuiltTable>,
): void {
  const oneRow = [...tables.values()].filter(({ plan }) => plan.rows === "one").map(({ plan }) => plan.name);
  if (table === undefined) {
    building.report.atKey(path, `crosses needs the table whose row crosses${suggestion("", oneRow)}`);
    return;
  }
  if (built === undefined && mayBeBroken(building, "tables", table)) return;
  const fault =
    built === undefined
      ? "is no declared table"
      : "has many rows per customer, and only a single row can cross";
  building.report.at([...path, "table"], `"${table}" ${fault}${suggestion(table, oneRow)}`);
}

function milliseconds(span: string | undefined): number | null {
  return span === undefined ? null : Number(span.slice(0, -1)) * (UNIT_MS[span.slice(-1)] ?? 0);
}
