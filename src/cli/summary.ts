import type { Counts } from "../store/reads.ts";

/** One line of a summary: what became of how many records of a table. */
export interface Outcome {
  readonly table: string;
  /** `applied`, `late`, `skipped tombstone`, `quarantined bad-value`, `rule drop:customer_present`, ... */
  readonly outcome: string;
  readonly count: number;
}

const NOBODYS = "(no table)";

function outcomes(counts: Pick<Counts, "tallies" | "quarantined">): readonly Outcome[] {
  const tallied = counts.tallies.map(({ table, kind, label, count }) => ({
    table: table === "" ? NOBODYS : table,
    outcome: { verdict: label, conflict: "tie conflict", skip: `skipped ${label}`, rule: `rule ${label}` }[
      kind
    ],
    count,
  }));
  const refused = counts.quarantined.map(({ table, code, count }) => ({
    table: table ?? NOBODYS,
    outcome: `quarantined ${code}`,
    count,
  }));
  return [...tallied, ...refused];
}

/** What was counted, by table and outcome. */
export function outcomesOf(counts: Pick<Counts, "tallies" | "quarantined">): readonly Outcome[] {
  return ordered(outcomes(counts));
}

/** What was counted since `before`, by table and outcome. */
export function outcomesSince(before: Counts, after: Counts): readonly Outcome[] {
  const earlier = new Map(outcomes(before).map((line) => [`${line.table}\n${line.outcome}`, line.count]));
  return ordered(
    outcomes(after).map((line) => ({
      ...line,
      count: line.count - (earlier.get(`${line.table}\n${line.outcome}`) ?? 0),
    })),
  );
}

function ordered(lines: readonly Outcome[]): readonly Outcome[] {
  return lines
    .filter(({ count }) => count > 0)
    .sort((a, b) => a.table.localeCompare(b.table) || b.count - a.count);
}

/** The outcomes as aligned lines. */
export function outcomeTable(lines: readonly Outcome[]): string {
  const width = Math.max(0, ...lines.map(({ table }) => table.length));
  const digits = Math.max(0, ...lines.map(({ count }) => String(count).length));
  return lines
    .map(
      ({ table, outcome, count }) =>
        `${table.padEnd(width)}  ${String(count).padStart(digits)}  ${outcome}\n`,
    )
    .join("");
}
