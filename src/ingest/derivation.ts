import type { TablePlan } from "../cdc/table.ts";
import type { Plan } from "../customer/plan.ts";
import { Customer360Error } from "../errors.ts";

/** What stored documents were derived under: kept with them, to be compared with the plan of the next start. */
export interface Derivation {
  /** `Plan.version`. */
  readonly version: string;
  /** Per table what its stored rows mean. */
  readonly tables: Readonly<Record<string, Meaning>>;
  /** Per metric over history and offer on a crossing what its memory is of. */
  readonly memory: Readonly<Record<string, string>>;
  /** While everything is derived anew: whose memory stays good, and the customer last done with. Absent when done. */
  readonly pending?: { readonly kept: readonly string[]; readonly after: string | null };
}

/** What the rows of a table mean: how they are told apart, whose they are, their order, their place, their values. */
export interface Meaning {
  readonly rows: string;
  readonly columns: Readonly<Record<string, string>>;
}

/** What documents derived under a plan are derived under. */
export function derivationOf(plan: Plan): Derivation {
  const history = plan.metrics.flatMap((metric) =>
    metric.kind === "rows" && metric.over === "history"
      ? [[metric.name, JSON.stringify([metric.function, metric.table, metric.column, metric.type])]]
      : [],
  );
  const crossings = plan.offers.flatMap(({ name, trigger }) =>
    trigger.kind === "crosses" ? [[name, JSON.stringify([trigger.table, trigger.text])]] : [],
  );
  return {
    version: plan.version,
    tables: Object.fromEntries(plan.tables.map((table) => [table.name, meaningOf(table)])),
    memory: Object.fromEntries([...history, ...crossings]),
  };
}

function meaningOf({ key, customer, rows, storage, sequence, columns }: TablePlan): Meaning {
  return {
    rows: JSON.stringify({ key, customer, rows, storage, sequence }),
    columns: Object.fromEntries(
      columns.map(({ name, type, list, scale, unit, format }) => [
        name,
        JSON.stringify({ type, list, scale, unit, format }),
      ]),
    ),
  };
}

/** Throws STORE_INCOMPATIBLE when stored rows cannot be understood under the plan wanted now. New tables and columns can. */
export function checkMeaning(found: Derivation, wanted: Derivation): void {
  const faults = Object.entries(found.tables).flatMap(([name, { rows, columns }]) => {
    const now = wanted.tables[name];
    if (now === undefined) return [`table ${name} is gone`];
    if (now.rows !== rows) return [`key, customer, rows, sequence or page of table ${name} changed`];
    return Object.entries(columns)
      .filter(([column, meaning]) => (now.columns[column] ?? meaning) !== meaning)
      .map(([column]) => `column ${name}.${column} is read differently`);
  });
  if (faults.length > 0)
    throw new Customer360Error(
      "STORE_INCOMPATIBLE",
      `the stored rows were read by another pipeline file (${faults.join("; ")}): ` +
        `give back the former meaning, or read everything anew into another store (customer360 replay --into)`,
    );
}

/** Why what is stored, derived under the text noted with it, is not what a plan would make of it; null when it is. */
export function strangeness(text: string | null, plan: Pick<Plan, "version">): string | null {
  if (text === null) return null;
  const { version, pending } = JSON.parse(text) as Derivation;
  if (version !== plan.version)
    return (
      `customers are derived under another pipeline file (version ${version}) than this process serves (${plan.version}): ` +
      "metrics, segments and offers may contradict it; start all processes with one file"
    );
  return pending === undefined
    ? null
    : "customers are being derived anew: some still show what the former pipeline file made of them";
}

/** Whose memory stays good from one derivation to the next. */
export function keptMemory(found: Derivation, wanted: Derivation): readonly string[] {
  const good = found.pending === undefined ? null : new Set(found.pending.kept);
  return Object.keys(wanted.memory).filter(
    (name) => found.memory[name] === wanted.memory[name] && (good === null || good.has(name)),
  );
}
