import type {
  Customer,
  Freshness,
  OfferState,
  OfferTransition,
  SegmentState,
  SegmentTransition,
} from "../../customer/customer.ts";

/** How old what a frame says is, by clock; milliseconds since 1970, null where it does not apply. */
export interface Age {
  readonly sourceMs: number | null;
  readonly ingestedMs: number | null;
  readonly appliedMs: number | null;
  readonly sentMs: number;
}

/** One membership in a segment snapshot. */
export interface SegmentMember {
  readonly customer: Customer;
  readonly segment: string;
  readonly state: SegmentState;
}

/** One offer in an offer snapshot. */
export interface CustomerOffer {
  readonly customer: Customer;
  readonly offer: string;
  readonly state: OfferState;
}

/** What a snapshot lists, by the kind of subscription. */
export type SnapshotItems =
  | { readonly of: "customers"; readonly customers: readonly Customer[] }
  | { readonly of: "segments"; readonly members: readonly SegmentMember[] }
  | { readonly of: "offers"; readonly offers: readonly CustomerOffer[] };

/** State as of the cursor; a large one comes in several frames, the last of them complete. */
export interface SnapshotFrame {
  readonly kind: "snapshot";
  readonly cursor: string;
  readonly items: SnapshotItems;
  readonly complete: boolean;
  readonly age: Age;
}

/** One customer changed. Transitions are those the watch asked for. */
export interface ChangeFrame {
  readonly kind: "change";
  readonly cursor: string;
  readonly customer: Customer;
  /** The revision announced; the document may already be a later one. */
  readonly revision: number;
  /** Changed field paths as in `Announcement.changed`. */
  readonly changed: readonly string[];
  readonly segments: readonly SegmentTransition[];
  readonly offers: readonly OfferTransition[];
  /** False when the customer no longer matches the filter: take it off the list. Always true without a filter. */
  readonly matches: boolean;
  readonly freshness: Freshness;
  readonly age: Age;
}

/** Updates are missing between the frame before and what follows, which is a snapshot. */
export interface GapFrame {
  readonly kind: "gap";
  readonly cursor: string;
  readonly missed: number | null;
  readonly reason: "SLOW_CONSUMER" | "RETENTION" | "RESTART";
  readonly age: Age;
}

/** Nothing of interest up to this cursor: proof of life, and a newer place to resume from. */
export interface ProgressFrame {
  readonly kind: "progress";
  readonly cursor: string;
  readonly age: Age;
}

/** The last frame of a stream that the server ends. */
export interface EndedFrame {
  readonly kind: "ended";
  readonly cursor: string | null;
  readonly reason: "DRAINING";
  /** Connect again with the cursor. */
  readonly retryable: boolean;
  readonly age: Age;
}

/** One message of a subscription. */
export type Frame = SnapshotFrame | ChangeFrame | GapFrame | ProgressFrame | EndedFrame;
