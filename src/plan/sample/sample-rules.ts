import { check, type Checked } from "../../cdc/check.ts";
import type { Expectation } from "../../cdc/table.ts";
import type { Seen, Warning } from "./seen.ts";

const CONSEQUENCES: Readonly<Record<Expectation["action"], string>> = {
  warn: "counted and applied",
  drop: "left out",
  quarantine: "put in quarantine",
  fail: "a reason to stop",
};

/** Which quality rules a sample violates, and how often. */
export function ruleWarnings({ table, changes }: Seen): Warning[] {
  const counts = new Map<string, number>();
  for (const { change } of changes)
    for (const rule of violated(check(change, table))) counts.set(rule, (counts.get(rule) ?? 0) + 1);
  return table.expectations.flatMap(({ name, action }): Warning[] => {
    const count = counts.get(name) ?? 0;
    if (count === 0) return [];
    const text = `${count} of ${changes.length} change${changes.length === 1 ? "" : "s"} ${count === 1 ? "violates" : "violate"} the rule "${name}" and would be ${CONSEQUENCES[action]}`;
    return [{ code: "expectation", table: table.name, column: null, text }];
  });
}

function violated(checked: Checked): ReadonlySet<string> {
  switch (checked.kind) {
    case "kept":
      return new Set(checked.warned);
    case "refused":
      return new Set([...checked.warned, ...checked.refusal.rules]);
    case "dropped":
    case "failed":
      return new Set([...checked.warned, ...checked.rules]);
  }
}
