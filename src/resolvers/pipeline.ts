import type { TablePlan } from "../cdc/table.ts";
import { ownerOfTopics } from "../cdc/topics.ts";
import type { Checkpoint, Lag } from "../ingest/source.ts";
import type { Counts } from "../store/reads.ts";
import type { Tally } from "../store/store.ts";
import type { Context } from "./context.ts";
import { loadCounts } from "./loading.ts";

/** A label with how often it was counted. */
export interface Counted {
  readonly label: string;
  readonly count: number;
}

/** One expectation of a table, with how often it was violated. */
export interface RuleCount {
  readonly name: string;
  readonly action: string;
  readonly violations: number;
}

/** What was counted of one kind for a table. */
export async function tallies(
  context: Context,
  table: string,
  kind: Tally["kind"],
): Promise<readonly Counted[]> {
  const counts = await loadCounts(context.reads);
  return counts.tallies.filter((tally) => tally.table === table && tally.kind === kind);
}

/** A table's expectations, in file order. */
export async function rules(context: Context, table: TablePlan): Promise<readonly RuleCount[]> {
  const counted = await tallies(context, table.name, "rule");
  return table.expectations.map(({ name, action }) => ({
    name,
    action,
    violations: counted.find(({ label }) => label === `${action}:${name}`)?.count ?? 0,
  }));
}

/** Records put aside, by table and reason. */
export async function quarantine(context: Context): Promise<Counts["quarantined"]> {
  return (await loadCounts(context.reads)).quarantined;
}

/** How many records of one table were put aside. */
export async function quarantinedOf(context: Context, table: string): Promise<number> {
  const all = await quarantine(context);
  return all.filter((each) => each.table === table).reduce((sum, each) => sum + each.count, 0);
}

/** How far the source is behind, per partition; null when another process ingests. */
export async function lag(context: Context): Promise<readonly Lag[] | null> {
  return context.ingest === null ? null : context.ingest.lag();
}

/** How far the partitions of a table's topics are behind together; null when that is not known here. */
export async function lagOf(context: Context, table: TablePlan): Promise<string | null> {
  const tableOf = ownerOfTopics(context.plan.tables);
  const partitions = (await lag(context))?.filter((each) => tableOf(each.topic) === table) ?? [];
  if (partitions.length === 0) return null;
  return String(partitions.reduce((sum, each) => sum + BigInt(each.behind), 0n));
}

/** Where the source would go on after a restart; null when another process ingests. */
export async function checkpoints(context: Context): Promise<readonly Checkpoint[] | null> {
  return context.ingest === null ? null : context.ingest.checkpoints();
}

/** How many customers are stored. */
export async function customerCount(context: Context): Promise<number> {
  return (await loadCounts(context.reads)).customers;
}
