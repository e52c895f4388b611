import type { OfferTransition, SegmentTransition } from "../customer/customer.ts";
import { through, union } from "../customer/derived/transitions.ts";
import type { Bearing } from "./audience.ts";
import type { HubLimits } from "./limits.ts";
import type { Slot } from "./ring.ts";
import type { StreamCursor } from "./updates.ts";
import type { DeliveryMode } from "./watch.ts";
import { weightOf } from "./weight.ts";

/**
 * What waits for one subscription.
 *
 * The naive way is a queue per subscription. A reader that stops then holds every update since, and in the end the whole
 * process. Dropping the oldest instead loses updates without a word. So: LATEST keeps one parcel per customer, and folds
 * what comes into it; EVERY keeps the order up to a bound. Beyond the bound everything is let go and only counted, and the
 * reader is told (a Gap, then a fresh snapshot).
 *
 * Folding takes updates out of the stream's order, so a cursor alone cannot say what was delivered. A parcel therefore
 * carries the place before the oldest update still waiting, and the revisions delivered beyond that place.
 */
export interface Mailbox {
  /** Takes an entry; beyond the bounds everything waiting is let go and counted as missed. */
  put(slot: Slot, bearing: Bearing): void;
  /** The next parcel, or null when none waits. */
  take(): Parcel | null;
  /** Updates let go since the last call of `clear`; 0 when none. */
  missed(): number;
  /** Empties it, and answers how many updates were let go or thrown away by this. */
  clear(): number;
}

/** One or several updates of a customer, as one thing to deliver. */
export interface Parcel {
  /** The newest entry. */
  readonly slot: Slot;
  /** What all of them together say. */
  readonly bearing: Bearing;
  /** Changed paths of all of them, sorted. */
  readonly changed: readonly string[];
  /** How many updates it stands for. */
  readonly count: number;
  /** Everything up to here is delivered once this parcel is. */
  readonly at: StreamCursor;
  /** Revisions delivered beyond `at`, by customer; null when there are none. */
  readonly ahead: ReadonlyMap<string, number> | null;
}

/** Bounds of one mailbox. */
export type MailboxLimits = Pick<HubLimits, "waiting" | "waitingBytes" | "waitingCustomers">;

/** For what is bounded otherwise: a page of the stream. */
export const UNBOUNDED: MailboxLimits = {
  waiting: Infinity,
  waitingBytes: Infinity,
  waitingCustomers: Infinity,
};

/** Customers with folded updates a cursor may have to list, at most; bounds the length of cursors. */
const MOST_FOLDED = 100;

interface Waiting {
  readonly first: Slot;
  last: Slot;
  bearing: Bearing;
  changed: readonly string[];
  count: number;
}

/** An empty mailbox for a mode. */
export function createMailbox(mode: DeliveryMode, limits: MailboxLimits): Mailbox {
  return mode === "EVERY" ? new Queue(limits) : new Folder(limits);
}

class Queue implements Mailbox {
  readonly #limits: MailboxLimits;
  #waiting: { slot: Slot; bearing: Bearing }[] = [];
  #head = 0;
  #bytes = 0;
  #missed = 0;

  constructor(limits: MailboxLimits) {
    this.#limits = limits;
  }

  put(slot: Slot, bearing: Bearing): void {
    if (this.#missed > 0) {
      this.#missed += 1;
      return;
    }
    this.#waiting.push({ slot, bearing });
    this.#bytes += weightOf(slot.entry);
    const count = this.#waiting.length - this.#head;
    if (count <= this.#limits.waiting && (count === 1 || this.#bytes <= this.#limits.waitingBytes)) return;
    this.#missed = count;
    this.#empty();
  }

  take(): Parcel | null {
    const next = this.#waiting[this.#head];
    if (next === undefined) return null;
    this.#head += 1;
    this.#bytes -= weightOf(next.slot.entry);
    if (this.#head === this.#waiting.length) this.#empty();
    else if (this.#head >= 256) {
      this.#waiting = this.#waiting.slice(this.#head);
      this.#head = 0;
    }
    return single(next.slot, next.bearing);
  }

  missed(): number {
    return this.#missed;
  }

  clear(): number {
    const gone = this.#missed + this.#waiting.length - this.#head;
    this.#missed = 0;
    this.#empty();
    return gone;
  }

  #empty(): void {
    this.#waiting = [];
    this.#head = 0;
    this.#bytes = 0;
  }
}

class Folder implements Mailbox {
  readonly #limits: MailboxLimits;
  /** By customer, in the order of their first update. */
  #waiting = new Map<string, Waiting>();
  /** Delivered beyond the oldest waiting entry. */
  #ahead = new Map<string, Slot>();
  #folded = 0;
  #count = 0;
  #bytes = 0;
  #missed = 0;

  constructor(limits: MailboxLimits) {
    this.#limits = limits;
  }

  put(slot: Slot, bearing: Bearing): void {
    if (this.#missed > 0) {
      this.#missed += 1;
      return;
    }
    this.#count += 1;
    this.#bytes += weightOf(slot.entry);
    const { customerId, changed } = slot.entry.update;
    const waiting = this.#waiting.get(customerId);
    if (waiting === undefined) {
      this.#waiting.set(customerId, { first: slot, last: slot, bearing, changed, count: 1 });
    } else {
      if (waiting.count === 1) this.#folded += 1;
      this.#bytes -= weightOf(waiting.last.entry);
      waiting.last = slot;
      waiting.bearing = fold(waiting.bearing, bearing);
      waiting.changed = union(waiting.changed, changed);
      waiting.count += 1;
    }
    if (this.#fits()) return;
    this.#missed = this.#count;
    this.#empty();
  }

  take(): Parcel | null {
    const next = this.#waiting.entries().next();
    if (next.done === true) return null;
    const [customerId, waiting] = next.value;
    this.#waiting.delete(customerId);
    this.#count -= waiting.count;
    this.#bytes -= weightOf(waiting.last.entry);
    if (waiting.count > 1) this.#folded -= 1;
    const oldest = this.#waiting.values().next();
    const older = oldest.done === true ? null : oldest.value.first;
    if (this.#ahead.size === 0 && waiting.count === 1) return single(waiting.last, waiting.bearing);
    this.#ahead.set(customerId, waiting.last);
    let furthest = waiting.last;
    for (const [id, slot] of this.#ahead) {
      if (slot.seq > furthest.seq) furthest = slot;
      if (older === null || slot.seq < older.seq) this.#ahead.delete(id);
    }
    return {
      slot: waiting.last,
      bearing: waiting.bearing,
      changed: waiting.changed,
      count: waiting.count,
      at: older === null ? furthest.entry.cursor : older.before,
      ahead:
        this.#ahead.size === 0
          ? null
          : new Map([...this.#ahead].map(([id, slot]) => [id, slot.entry.update.revision])),
    };
  }

  missed(): number {
    return this.#missed;
  }

  clear(): number {
    const gone = this.#missed + this.#count;
    this.#missed = 0;
    this.#empty();
    return gone;
  }

  #fits(): boolean {
    const { waitingCustomers, waitingBytes } = this.#limits;
    if (this.#waiting.size > waitingCustomers) return false;
    if (this.#folded + this.#ahead.size > MOST_FOLDED) return false;
    return this.#waiting.size === 1 || this.#bytes <= waitingBytes;
  }

  #empty(): void {
    this.#waiting = new Map();
    this.#ahead = new Map();
    this.#folded = 0;
    this.#count = 0;
    this.#bytes = 0;
  }
}

/** An update by itself. */
export function single(slot: Slot, bearing: Bearing): Parcel {
  const { changed } = slot.entry.update;
  return { slot, bearing, changed, count: 1, at: slot.entry.cursor, ahead: null };
}

function fold(older: Bearing, newer: Bearing): Bearing {
  return {
    segments: through(older.segments, newer.segments, (t: SegmentTransition) => t.segment),
    offers: through(older.offers, newer.offers, (t: OfferTransition) => t.offer),
    matches: newer.matches,
  };
}
