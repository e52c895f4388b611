import type { Change, Refusal, Values } from "./change.ts";
import type { Expectation, TablePlan } from "./table.ts";

/** What the expectations of its table make of a change. `warned`: violated rules that only count. */
export type Checked =
  | { readonly kind: "kept"; readonly warned: readonly string[] }
  | { readonly kind: "dropped"; readonly rules: readonly string[]; readonly warned: readonly string[] }
  | { readonly kind: "refused"; readonly refusal: Refusal; readonly warned: readonly string[] }
  | { readonly kind: "failed"; readonly rules: readonly string[]; readonly warned: readonly string[] };

const KEPT: Checked = { kind: "kept", warned: [] };

/**
 * Holds a change against every expectation of its table; the strongest action of the violated ones decides
 * (fail, quarantine, drop, warn). Only upserts are held: a delete carries no values to judge. Nor does a rule count as violated
 * that looked at a column the source withheld: the row has a value there, which this change just does not repeat.
 */
export function check(change: Change, table: TablePlan): Checked {
  if (change.op !== "upsert") return KEPT;
  const violated = table.expectations.filter((expectation) => isViolated(expectation, change));
  if (violated.length === 0) return KEPT;
  const named = (action: string): readonly string[] =>
    violated.filter((expectation) => expectation.action === action).map((expectation) => expectation.name);
  const warned = named("warn");
  const failed = named("fail");
  if (failed.length > 0) return { kind: "failed", rules: failed, warned };
  const quarantined = named("quarantine");
  if (quarantined.length > 0) {
    const rules = violated.map((expectation) => expectation.name);
    const reason = `violates ${quarantined.join(", ")} of table ${table.name}`;
    return { kind: "refused", refusal: { code: "expectation", reason, rules }, warned };
  }
  const dropped = named("drop");
  return dropped.length > 0 ? { kind: "dropped", rules: dropped, warned } : { kind: "kept", warned };
}

function isViolated({ holds }: Expectation, { set, withheld }: Change): boolean {
  return !holds(set) && (withheld === undefined || !looksAt(holds, set, withheld));
}

/** Whether a condition reads any of these columns, which the values lack. */
function looksAt(holds: Expectation["holds"], set: Values, columns: readonly string[]): boolean {
  let looked = false;
  const probe: Record<string, Values[string]> = { ...set };
  for (const column of columns) {
    Object.defineProperty(probe, column, {
      get() {
        looked = true;
        return null;
      },
    });
  }
  holds(probe);
  return looked;
}
