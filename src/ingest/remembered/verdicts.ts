import type { Change, Origin } from "../../cdc/change.ts";
import type { Folded } from "../apply.ts";
import type { Tallies } from "./tallies.ts";

/** Which verdicts count. */
export interface Counting {
  /** Deletes that routing made; nobody sent them. */
  readonly echoes: ReadonlySet<Change>;
  /** Only changes from these records, those the first round lost; null for all. */
  readonly owed: ReadonlySet<Origin> | null;
}

/** Counts the verdicts on changes, or takes back (sign -1) those of customers whose save was a conflict. */
export function countVerdicts(
  tallies: Tallies,
  folded: readonly Folded[],
  { echoes, owed, sign }: Counting & { readonly sign: 1 | -1 },
): void {
  for (const { applied } of folded)
    for (const { change, verdict, conflict } of applied.judged) {
      if (!isCounted(change, { echoes, owed })) continue;
      tallies.add({ table: change.table, kind: "verdict", label: verdict }, sign);
      if (conflict) tallies.add({ table: change.table, kind: "conflict", label: "tie" }, sign);
    }
}

/** The records whose verdict is still to be counted after a conflict. */
export function owedTo(lost: readonly Folded[], counting: Counting): ReadonlySet<Origin> {
  const changes = lost.flatMap(({ applied }) => applied.judged.map(({ change }) => change));
  return new Set(changes.filter((change) => isCounted(change, counting)).map(({ origin }) => origin));
}

function isCounted(change: Change, { echoes, owed }: Counting): boolean {
  return (echoes.size === 0 || !echoes.has(change)) && (owed === null || owed.has(change.origin));
}
