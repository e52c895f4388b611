/**
 * The vocabulary of one change: what came from outside, where it stands in its row's order, and what became of it.
 */

/** A column's value in its canonical, lossless JSON form; docs/ARCHITECTURE.md lists the form of each column type. */
export type Value = string | number | boolean | null | readonly Value[];

/** Values by declared column name. A column that a change does not carry has no entry here. */
export type Values = Readonly<Record<string, Value>>;

/**
 * A row's place in its order, as text that sorts like the order it stands for (plain `<` on strings).
 * Made by `positions/sequence.ts` from (epoch, sequence, streamed-before-snapshot rank); compared per row key only.
 */
export type Position = string;

/** Bytes from outside with their coordinates: what a Kafka record is, and what every other source imitates. */
export interface SourceRecord {
  readonly topic: string;
  readonly partition: number;
  /** Decimal text: offsets are 64-bit and never pass through a JavaScript number. */
  readonly offset: string;
  /** When the broker, or the file source, took the record; milliseconds since 1970. */
  readonly timestampMs: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: Readonly<Record<string, string>>;
}

/** Coordinates of a record: enough to find it again. */
export interface Origin {
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
}

/** What a change does to its row; a truncate has no row and concerns its whole table. */
export type Op = "upsert" | "delete" | "truncate";

/** One decoded record: the change of one row, ready to be checked, routed and judged. */
export interface Change {
  readonly table: string;
  readonly op: Op;
  /** The row key: canonical JSON array text of the key columns' values, such as `["42"]`; "" for a truncate. */
  readonly key: string;
  /** The customer named by the record itself, or null when it names none (many deletes do not). */
  readonly customerId: string | null;
  /** For a paged table the page the row belongs to (`2024-05`, or `2024-05-17`), when the record tells; else null. */
  readonly page: string | null;
  readonly position: Position;
  /** The columns this change carries. Empty for deletes and truncates. */
  readonly set: Values;
  /** True when declared columns are missing from `set` because the source did not send them. */
  readonly partial: boolean;
  /** Columns the source named but withheld: a placeholder for a large value left alone, a null that means "not sent". */
  readonly withheld?: readonly string[];
  readonly origin: Origin;
  /**
   * When the change happened at the source, by the declared sequence if that is a clock, else by the connector;
   * milliseconds since 1970, or null.
   */
  readonly sourceMs: number | null;
  /** When the record reached us (broker or file time), milliseconds since 1970. */
  readonly ingestedMs: number;
}

/** What became of a change that reached its row. */
export type Verdict = "applied" | "duplicate" | "late" | "blocked-by-delete" | "blocked-by-truncate";

/** Why a record was put in quarantine. Codes are listed with their remedies in docs/OPERATIONS.md. */
export interface Refusal {
  readonly code: RefusalCode;
  /** Plain words for the person who has to repair it; names columns and rules. */
  readonly reason: string;
  /** Every expectation the record violated; empty when it could not be read that far. */
  readonly rules: readonly string[];
}

/** The closed list of reasons for quarantine. */
export type RefusalCode =
  | "unreadable" // not JSON, or not a shape we know
  | "unknown-op" // an op that neither Debezium nor the table's aliases know
  | "missing-key" // a key column is absent or null
  | "missing-sequence" // a sequence column is absent, null or unparsable
  | "bad-value" // a column's value does not fit its declared type
  | "missing-page" // the paging column of a paged table is null
  | "missing-customer" // an upsert that names no customer
  | "expectation" // a rule with action quarantine
  | "too-large" // its customer's document, or a page of it, would grow beyond what the store keeps in one
  | "fault"; // a fault of ours: the change could not be applied; replay it once that is repaired

/** Records that are neither changes nor errors, by what they are. Counted, never applied. */
export type Skip = "tombstone" | "heartbeat" | "schema-change" | "transaction" | "message" | "unmapped-topic";
