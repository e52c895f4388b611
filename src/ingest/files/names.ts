import type { TablePlan } from "../../cdc/table.ts";

/** What a file of bare changes is named after. */
export interface Namesake {
  readonly table: TablePlan;
  /** The topic its records go by: the one it is named after, else the table's first. */
  readonly topic: string;
}

/** What may follow the name: an extension, a further part after a dot or dash, and before these a number. */
const REST = /^(_?\d+)?([.-].*)?$/;

/**
 * The table or topic a file is named after, `policies-2024.ndjson.gz` and `shop.public.policies2.json` alike; the longest
 * name that fits counts, a table's before a topic's. Null when none fits.
 */
export function namesake(path: string, tables: readonly TablePlan[]): Namesake | null {
  const file = path.slice(path.lastIndexOf("/") + 1);
  let best: Namesake | null = null;
  let bestLength = 0;
  const offer = (name: string, found: Namesake): void => {
    if (name.length <= bestLength || !isNamedAfter(file, name)) return;
    best = found;
    bestLength = name.length;
  };
  for (const table of tables) offer(table.name, { table, topic: table.topics[0] ?? "" });
  for (const table of tables) for (const topic of table.topics) offer(topic, { table, topic });
  return best;
}

function isNamedAfter(file: string, name: string): boolean {
  if (!file.startsWith(name)) return false;
  const rest = file.slice(name.length);
  // The digits of `t10.json` are no number after `t1`.
  return REST.test(rest) && !(/\d$/.test(name) && /^\d/.test(rest));
}

/** Says of a file that it belongs to nobody, and what it could have been named after. */
export function strangerReason(path: string, tables: readonly TablePlan[]): string {
  const known = tables.map(({ name, topics }) => `${name} (${topics.join(", ")})`).join("; ");
  return `file ${path} is named after no table or topic; tables are ${known}`;
}
