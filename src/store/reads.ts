import type { Origin, Refusal } from "../cdc/change.ts";
import type { Customer, OfferState, Row } from "../customer/customer.ts";
import type { CustomerFilter, FieldRef } from "../customer/values/filter.ts";
import type { Tally } from "./store.ts";

/** A page of results. `cursor` is the reader's own text; the GraphQL layer passes it back unseen as `after`. */
export interface Listing<T> {
  readonly items: readonly { readonly item: T; readonly cursor: string }[];
  readonly hasNext: boolean;
}

/** Which customers, in what order. Ties are broken by customer id; nulls come last in either direction. */
export interface CustomerQuery {
  readonly filter: CustomerFilter | null;
  readonly orderBy: { readonly field: FieldRef; readonly direction: "asc" | "desc" };
  readonly first: number;
  readonly after: string | null;
}

/** One live row of a many-row table, as listed. */
export interface ListedRow {
  readonly customerId: string;
  readonly table: string;
  readonly key: string;
  readonly row: Row;
}

/** One offer of one customer, as listed, newest trigger first. */
export interface ListedOffer {
  readonly customerId: string;
  readonly offer: string;
  readonly state: OfferState;
}

/** Which offers. Null means any. */
export interface OfferQuery {
  readonly customerId: string | null;
  readonly offers: readonly string[] | null;
  readonly states: readonly OfferState["state"][] | null;
  readonly first: number;
  readonly after: string | null;
}

/** Members of a segment by tier (`IN` for a plain one). */
export interface MemberCount {
  readonly segment: string;
  readonly tier: string;
  readonly customers: number;
}

/** Counters since the store was made. */
export interface Counts {
  readonly tallies: readonly Tally[];
  readonly quarantined: readonly {
    readonly table: string | null;
    readonly code: string;
    readonly count: number;
  }[];
  readonly customers: number;
}

/** How many bytes of a key or value an excerpt has at most: enough for 10,000 characters of any script. */
export const EXCERPT_BYTES = 40_000;

/** The beginning of a key or value, and how many bytes all of it has. */
export interface Excerpt {
  readonly head: Uint8Array;
  readonly bytes: number;
}

/** A refused record, to be looked at. */
export interface QuarantinedRecord {
  readonly origin: Origin;
  /** Null when the record could not be read that far. */
  readonly table: string | null;
  readonly refusal: Refusal;
  /** When it was put aside, milliseconds since 1970. */
  readonly atMs: number;
  readonly key: Excerpt | null;
  readonly value: Excerpt | null;
}

/** Which refused records. Table null means any. */
export interface QuarantineQuery {
  readonly table: string | null;
  readonly first: number;
  readonly after: string | null;
}

/**
 * PORT. What the API asks the store. Reads see whole saves only. NOBODY and customers that never held a live row are not listed.
 * Documents come without outbox, and of their notes with the number of live rows per paged table only.
 */
export interface Reads {
  /** The documents of these customers, in the order asked; null where there is none, and for NOBODY. */
  customers(ids: readonly string[]): Promise<readonly (Customer | null)[]>;
  listCustomers(query: CustomerQuery): Promise<Listing<Customer>>;
  countCustomers(filter: CustomerFilter | null): Promise<number>;
  /** Live rows of a many-row table, newest position first, for inline and paged tables alike. */
  listRows(query: {
    customerId: string;
    table: string;
    first: number;
    after: string | null;
  }): Promise<Listing<ListedRow>>;
  listOffers(query: OfferQuery): Promise<Listing<ListedOffer>>;
  /** Refused records, the last put aside first. */
  listQuarantine(query: QuarantineQuery): Promise<Listing<QuarantinedRecord>>;
  /** Segment member counts and ingest counters. */
  counts(): Promise<Counts & { readonly members: readonly MemberCount[] }>;
}
