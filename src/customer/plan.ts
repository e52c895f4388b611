import type { Value, Values } from "../cdc/change.ts";
import type { RowCondition, TablePlan } from "../cdc/table.ts";

/** What a metric computes over rows. `latest` takes the value of the row with the newest position. */
export type MetricFunction = "count" | "sum" | "min" | "max" | "average" | "distinct" | "latest";

/** The type of a metric's value: decides its stored form (as for columns) and its GraphQL type. */
export type MetricType = "int" | "bigint" | "decimal" | "float" | "text" | "boolean" | "timestamp";

/** A metric over the rows of one table. */
export interface RowMetric {
  readonly kind: "rows";
  readonly name: string;
  readonly description: string;
  readonly type: MetricType;
  readonly table: string;
  readonly function: MetricFunction;
  /** The column aggregated; null for count. */
  readonly column: string | null;
  readonly filter: RowCondition | null;
  /** `current`: live rows. `history`: every version ever seen, late and superseded ones too; min and max of inline tables only. */
  readonly over: "current" | "history";
  /** Digits after the point, of decimals. */
  readonly scale: number;
}

/** A metric computed from other metrics and the columns of one-row tables. */
export interface ExpressionMetric {
  readonly kind: "expression";
  readonly name: string;
  readonly description: string;
  readonly type: MetricType;
  readonly scale: number;
  readonly evaluate: (scope: Scope) => Value;
}

/** Either kind of metric. Expression metrics come after the metrics they use. */
export type MetricPlan = RowMetric | ExpressionMetric;

/** What conditions over a whole customer see. */
export interface Scope {
  readonly metrics: Readonly<Record<string, Value>>;
  /** The row of each one-row table, or null. */
  readonly rows: Readonly<Record<string, Values | null>>;
  /** Tier of each tiered segment evaluated so far, `IN` or `OUT` of each plain one. */
  readonly segments: Readonly<Record<string, string>>;
}

/** A condition over a customer, compiled from CEL; a failing evaluation (a null in a comparison) answers false. */
export interface CustomerCondition {
  readonly holds: (scope: Scope) => boolean;
  /** The values it read, in words: `online transactions 12`. Used in reasons. */
  readonly explain: (scope: Scope) => string;
}

/** One tier of a segment: the first whose condition holds is the customer's. */
export interface TierPlan {
  readonly name: string;
  readonly when: CustomerCondition;
}

/** A segment: tiered, or plain membership. Segments are evaluated in file order and may use those before them. */
export interface SegmentPlan {
  readonly name: string;
  readonly description: string;
  readonly tiers: readonly TierPlan[];
  /** The tier when no condition holds. */
  readonly otherwise: string | null;
  /** For a plain segment: the membership condition; null for a tiered one. */
  readonly when: CustomerCondition | null;
}

/** What earns an offer: a row of a one-row table crossing a condition, or a condition on the customer. */
export type TriggerPlan =
  | {
      readonly kind: "crosses";
      readonly table: string;
      readonly condition: RowCondition;
      readonly text: string;
    }
  | { readonly kind: "when"; readonly condition: CustomerCondition };

/** An offer: it is made when its trigger and its eligibility hold, and withdrawn when they no longer do. */
export interface OfferPlan {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly trigger: TriggerPlan;
  readonly eligibility: CustomerCondition | null;
  /** How long an offer stands, milliseconds; null for ever. */
  readonly expiresAfterMs: number | null;
  /** Plain words; `{metrics.balance}` and `{patterns.number_of_concert_tickets}` are filled in. */
  readonly reason: (scope: Scope) => string;
}

/** The whole pipeline file, compiled: pure data and pure functions. */
export interface Plan {
  readonly name: string;
  readonly description: string;
  readonly tables: readonly TablePlan[];
  readonly metrics: readonly MetricPlan[];
  readonly segments: readonly SegmentPlan[];
  readonly offers: readonly OfferPlan[];
  /** Changes when anything that alters derived values changes: a hash of the file's meaning. */
  readonly version: string;
}
