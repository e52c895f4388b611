import type { Origin, Position, Value, Values } from "../cdc/change.ts";

/**
 * One row with its heads. The row outlives its deletion: what is left then is the position that keeps late changes out.
 * A row made by one whole change has that change's position for all its columns; a row put together from several has `parts`.
 */
export interface Row {
  /** Position of the newest change that counted, an upsert when `live`, else the delete. */
  readonly at: Position;
  readonly live: boolean;
  /** Column values; empty when not live. */
  readonly values: Values;
  /** Where the change at `at` was first seen: decides ties within a partition. */
  readonly origin: Origin;
  /** What the row is put together from, in the order of positions; absent when one whole change or one delete says it all. */
  readonly parts?: readonly Part[];
}

/**
 * What one change contributed to a row that no single change explains: because changes carried only some columns, or because
 * several different ones claim the same position. Each content is kept once per partition, with the least offset it was seen at.
 */
export interface Part {
  readonly at: Position;
  readonly origin: Origin;
  /** The columns it carries, or null for a delete. */
  readonly set: Values | null;
  /** True for a change that carries every column: like a delete, it leaves nothing of what stood below it. */
  readonly whole: boolean;
}

/** Rows of one table by row key. */
export type Rows = Readonly<Record<string, Row>>;

/**
 * Running aggregate of one metric over one set of rows. `sum` is an integer text in units of 10^-scale of the metric,
 * so adding and removing a row is exact. `extremes` and `values` are kept only for the functions that need them.
 */
export interface Total {
  readonly count: number;
  readonly sum?: string;
  readonly min?: Value;
  readonly max?: Value;
  /** Distinct values with how many rows hold each. */
  readonly values?: Readonly<Record<string, number>>;
  /** For `latest`: the position and value of the newest row. */
  readonly latest?: { readonly at: string; readonly key: string; readonly value: Value };
}

/** Totals by metric name. */
export type Totals = Readonly<Record<string, Total>>;

/** Names one page of one customer's paged table. */
export interface PageRef {
  readonly customerId: string;
  readonly table: string;
  readonly page: string;
}

/**
 * A page as loaded: its header, and the rows asked for (or all of them when `whole`).
 * A key that was asked for and is not in `rows` is not on the page.
 */
export interface Page extends PageRef {
  /** 0 when the page does not exist yet. */
  readonly revision: number;
  readonly totals: Totals;
  readonly liveRows: number;
  readonly rows: Rows;
  readonly whole: boolean;
}

/** What a customer remembers of a page: the totals of that page at that revision are part of the customer's. */
export interface Note {
  readonly revision: number;
  readonly totals: Totals;
  readonly liveRows: number;
}

/** A customer's membership in one segment. A tiered segment's `tier` is never null; a plain one has state only. */
export interface SegmentState {
  readonly state: "IN" | "OUT";
  readonly tier: string | null;
  readonly previousTier: string | null;
  /** When this tier (or membership) began by our clock, milliseconds since 1970. */
  readonly enteredMs: number;
  /** Plain words: the values that decided. */
  readonly because: string;
}

/** One offer made to a customer. The newest decision per offer key is kept. */
export interface OfferState {
  readonly state: "TRIGGERED" | "WITHDRAWN" | "EXPIRED";
  readonly triggeredMs: number;
  /** Null when the offer does not expire. */
  readonly expiresMs: number | null;
  readonly endedMs: number | null;
  /** Plain words: why it fired, with the values, or why it ended. */
  readonly because: string;
  /** On an expired offer that was not earned for a while since: it fires again when it is earned again. */
  readonly rearmed?: true;
}

/**
 * For a trigger `crosses C`: the lowest position of a row version where C was false, and the highest where it was true.
 * It crossed exactly when `below < above`: two positions say it for any arrival order.
 */
export interface Crossing {
  readonly below?: Position;
  readonly above?: Position;
}

/** How old a document is, by clock; milliseconds since 1970. */
export interface Freshness {
  readonly sourceMs: number | null;
  readonly ingestedMs: number | null;
  readonly appliedMs: number;
}

/** A tier or membership change. `from` is null on the first evaluation. */
export interface SegmentTransition {
  readonly segment: string;
  readonly from: string | null;
  readonly to: string;
}

/** An offer's change of state. */
export interface OfferTransition {
  readonly offer: string;
  readonly from: OfferState["state"] | null;
  readonly to: OfferState["state"];
}

/** What a saved revision has to tell subscribers; stored inside the document until it is known to be published. */
export interface Announcement {
  readonly customerId: string;
  readonly revision: number;
  /**
   * Field paths that changed: `patterns`, `cardTransactions`, `metrics.spendTotal`, `segments.engagement`, `offers.bigBalance`.
   * In file names (table, metric, segment, offer names as declared), sorted.
   */
  readonly changed: readonly string[];
  readonly segments: readonly SegmentTransition[];
  readonly offers: readonly OfferTransition[];
  readonly freshness: Freshness;
}

/** An announcement with the document it belongs to, as published. The document's revision is the announcement's or a later one. */
export interface Update extends Announcement {
  readonly customer: Customer;
}

/** The document of one customer. Immutable; parts that did not change are shared with the version before. */
export interface Customer {
  readonly customerId: string;
  /** 0 for a customer not stored yet; rises by one with each save. */
  readonly revision: number;
  /** Rows of inline tables by table name. */
  readonly tables: Readonly<Record<string, Rows>>;
  /** Notes of paged tables: table name, then page name. */
  readonly notes: Readonly<Record<string, Readonly<Record<string, Note>>>>;
  /** Sums of the notes, by table name. */
  readonly totals: Readonly<Record<string, Totals>>;
  /** Metrics over the whole history: by metric name, the least or greatest value any version ever had. */
  readonly history: Readonly<Record<string, Value>>;
  readonly crossings: Readonly<Record<string, Crossing>>;
  readonly metrics: Readonly<Record<string, Value>>;
  readonly segments: Readonly<Record<string, SegmentState>>;
  readonly offers: Readonly<Record<string, OfferState>>;
  readonly freshness: Freshness;
  /** When time alone will change this document next (an offer expires), milliseconds since 1970; null for never. */
  readonly dueMs: number | null;
  /** Announcements not known to be published, oldest first. */
  readonly outbox: readonly Announcement[];
}

/**
 * Rows whose customer is not known (a delete seen before its insert) are kept
 * under this customer id until their owner shows up.
 */
export const NOBODY = "";

/** A document for a customer nothing is known of yet. */
export function newCustomer(customerId: string): Customer {
  return {
    customerId,
    revision: 0,
    tables: EMPTY,
    notes: EMPTY,
    totals: EMPTY,
    history: EMPTY,
    crossings: EMPTY,
    metrics: EMPTY,
    segments: EMPTY,
    offers: EMPTY,
    freshness: UNSEEN,
    dueMs: null,
    outbox: NOTHING_TO_TELL,
  };
}

/** Shared by all new customers: documents are never changed, and many keep some of their parts empty. */
const EMPTY = Object.freeze({});
const UNSEEN: Freshness = Object.freeze({ sourceMs: null, ingestedMs: null, appliedMs: 0 });
const NOTHING_TO_TELL: readonly Announcement[] = Object.freeze([]);
