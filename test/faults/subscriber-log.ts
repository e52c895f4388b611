import { isWatched } from "./history.ts";

/** What a subscriber was shown of a customer. */
export interface Shown {
  readonly customerId: string;
  readonly revision: number;
  readonly score: number | null;
  readonly spend: string | null;
  readonly payments: number | null;
}

/** A frame as the subscriptions of the run ask for it. */
export type Frame =
  | {
      readonly __typename: "CustomerSnapshot";
      readonly customers: readonly Shown[];
      readonly complete: boolean;
    }
  | { readonly __typename: "CustomerChange"; readonly customer: Shown; readonly revision: number }
  | { readonly __typename: "Gap"; readonly reason: string }
  | { readonly __typename: "Progress" }
  | { readonly __typename: "Ended" };

/** What a subscriber must never see. */
export type Wrong = "doubled" | "silent gap" | "backward" | "wrong state";

/** One breach of a promise. */
export interface Breach {
  readonly wrong: Wrong;
  readonly text: string;
}

/** Whose log it is. */
export interface LogOptions {
  readonly name: string;
  /** True when no update may be left out for a newer one. */
  readonly isEvery: boolean;
  readonly isWhole: boolean;
}

/**
 * Judges what one subscriber is sent, frame by frame, over all its connections: no revision twice or backwards, none missing
 * unless a Gap said so, a snapshot behind each Gap. Of watched customers every revision is announced, so theirs have no holes.
 */
export class SubscriberLog {
  readonly breaches: Breach[] = [];
  readonly name: string;
  /** True when it is shown every customer, so that none may be missing. */
  readonly isWhole: boolean;
  readonly #isEvery: boolean;
  readonly #shown = new Map<string, Shown>();
  /** Customers of the snapshot that is under way; null between snapshots. */
  #arriving: Set<string> | null = null;
  #isOwedSnapshot = true;
  frames = 0;
  changes = 0;
  gaps = 0;
  snapshots = 0;

  constructor({ name, isEvery, isWhole }: LogOptions) {
    this.name = name;
    this.isWhole = isWhole;
    this.#isEvery = isEvery;
  }

  /** The customer as last shown. */
  shown(customerId: string): Shown | undefined {
    return this.#shown.get(customerId);
  }

  get all(): readonly Shown[] {
    return [...this.#shown.values()];
  }

  take(frame: Frame): void {
    this.frames += 1;
    switch (frame.__typename) {
      case "CustomerSnapshot":
        this.#snapshot(frame.customers, frame.complete);
        return;
      case "CustomerChange":
        this.changes += 1;
        this.#change(frame.customer, frame.revision);
        return;
      case "Gap":
        this.gaps += 1;
        this.#isOwedSnapshot = true;
        this.#arriving = null;
        return;
      default:
    }
  }

  #snapshot(customers: readonly Shown[], isComplete: boolean): void {
    this.#arriving ??= new Set();
    for (const customer of customers) {
      const { customerId, revision } = customer;
      const known = this.#shown.get(customerId);
      if (known !== undefined && revision < known.revision)
        this.#breach("backward", `a snapshot shows ${customerId} at ${revision}, after ${known.revision}`);
      this.#shown.set(customerId, customer);
      this.#arriving.add(customerId);
    }
    if (!isComplete) return;
    this.snapshots += 1;
    for (const customerId of this.#shown.keys())
      if (!this.#arriving.has(customerId)) {
        this.#breach("wrong state", `a snapshot no longer has ${customerId}`);
        this.#shown.delete(customerId);
      }
    this.#arriving = null;
    this.#isOwedSnapshot = false;
  }

  #change(customer: Shown, revision: number): void {
    const { customerId } = customer;
    if (this.#isOwedSnapshot)
      this.#breach("silent gap", `a change of ${customerId} where a snapshot is owed`);
    const known = this.#shown.get(customerId);
    const from = known?.revision ?? 0;
    if (revision === from) this.#breach("doubled", `revision ${revision} of ${customerId} twice`);
    else if (revision < from) this.#breach("backward", `${customerId} at ${revision}, after ${from}`);
    else if (this.#isEvery && isWatched(customerId) && revision > from + 1)
      this.#breach("silent gap", `${customerId} goes from ${from} to ${revision}`);
    if (customer.revision < revision)
      this.#breach("backward", `revision ${revision} of ${customerId} shows ${customer.revision}`);
    // The customer may be shown as of a later revision than is announced; those are still to be announced.
    this.#shown.set(customerId, { ...customer, revision: Math.max(revision, from) });
  }

  #breach(wrong: Wrong, text: string): void {
    this.breaches.push({ wrong, text: `${this.name}: ${text}` });
  }
}
