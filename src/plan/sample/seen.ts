import type { Change } from "../../cdc/change.ts";
import type { TablePlan } from "../../cdc/table.ts";

/** Something a sample of records makes doubtful about a pipeline file. */
export interface Warning {
  readonly code: WarningCode;
  /** The table it concerns; null for a topic that no table reads. */
  readonly table: string | null;
  readonly column: string | null;
  /** Plain words: what was seen, and what to do about it. */
  readonly text: string;
}

/** What a sample can show. */
type WarningCode =
  | "constant-sequence"
  | "text-date-sequence"
  | "future-values"
  | "unit-doubtful"
  | "schema-contradicts"
  | "random-record-keys"
  | "keys-never-repeat"
  | "undeclared-column"
  | "column-never-seen"
  | "refused"
  | "unread-topic"
  | "expectation";

/** What was seen of one table. */
export interface Seen {
  readonly table: TablePlan;
  readonly changes: { readonly change: Change; readonly nowMs: number }[];
  readonly recordKeys: string[];
  /** Columns that rows carried. */
  readonly columns: Set<string>;
  /** What embedded schemas call the type of a column. */
  readonly schemas: Map<string, string>;
  /** Refusals by code: how many, and the first reason. */
  readonly refused: Map<string, { count: number; reason: string }>;
}
