import type { OfferTransition, SegmentTransition, Update } from "../customer/customer.ts";
import type { CustomerFilter } from "../customer/values/filter.ts";
import { matches } from "../customer/values/filter.ts";
import { Few } from "./few.ts";
import type { Slot } from "./ring.ts";
import { watchKey } from "./watch.ts";
import type { Watch } from "./watch.ts";

/** What an update means to a watch: nothing (null), or these transitions, and whether the customer is (still) in its selection. */
export interface Bearing {
  readonly segments: readonly SegmentTransition[];
  readonly offers: readonly OfferTransition[];
  /** False when the customer left the filter with this update. */
  readonly matches: boolean;
}

/** One seat: what the hub calls when something happens for a live subscription. All calls are synchronous and cheap. */
export interface Listener {
  /** An entry that bears on the watch. */
  take(slot: Slot, bearing: Bearing): void;
  /** What concerns it could not be told: it ends with this error. */
  fail(error: unknown): void;
}

/** How many customers' last known membership of a filter is remembered per audience. */
const REMEMBERED_CUSTOMERS = 100_000;

/**
 * Everyone who watches exactly the same with the same rights. An update is weighed once per audience, not once per
 * subscription, and the frames made of it are shared by all of them.
 */
export class Audience {
  readonly watch: Watch;
  readonly scope: string;
  readonly key: string;
  /** Live subscriptions: those that have caught up and are told of every entry. */
  readonly live = new Few<Listener>();
  /** Open subscriptions, live or not; the audience is dropped when none is left. */
  seats = 0;
  /** What the cursors of its frames begin with, once there was one. */
  cursorHead: string | null = null;
  #frames: WeakMap<object, object> | null = null;
  #bearings: WeakMap<Slot, Bearing | typeof NOTHING> | null = null;
  #known: Map<string, boolean> | null = null;
  readonly #fields: ReadonlySet<string> | null;

  constructor(watch: Watch, scope: string, key = audienceKey(watch, scope)) {
    this.watch = watch;
    this.scope = scope;
    this.key = key;
    this.#fields =
      watch.field === "customersUpdates" && watch.filter !== null ? fieldsOf(watch.filter) : null;
  }

  /** True when every update concerns it. */
  get isEverything(): boolean {
    return this.watch.field === "customersUpdates" && this.watch.filter === null;
  }

  /** What an entry the hub has just read means here. Called once per entry, in stream order. */
  weigh(slot: Slot): Bearing | null {
    const bearing = this.#judge(slot.entry.update);
    if (this.#fields !== null) (this.#bearings ??= new WeakMap()).set(slot, bearing ?? NOTHING);
    return bearing;
  }

  /**
   * What an earlier entry means here. When it was never weighed live, leaving a filter is told from the changed fields
   * alone, which may report a customer as gone that was never in; it never fails to report one that left.
   */
  recall(slot: Slot): Bearing | null {
    if (this.#fields === null) return this.#judge(slot.entry.update);
    const remembered = this.#bearings?.get(slot);
    if (remembered !== undefined) return remembered === NOTHING ? null : remembered;
    return this.#filtered(slot.entry.update, undefined);
  }

  /** A snapshot listed this customer as matching. */
  listed(customerId: string): void {
    if (this.#fields !== null) this.#remember(customerId, true);
  }

  /** The one frame of this audience for a slot or place; made on first use, and again when it holds no more. */
  shared<T extends object>(of: object, make: () => T, holds: (known: T) => boolean): T {
    this.#frames ??= new WeakMap();
    const known = this.#frames.get(of) as T | undefined;
    if (known !== undefined && holds(known)) return known;
    const made = make();
    this.#frames.set(of, made);
    return made;
  }

  #judge(update: Update): Bearing | null {
    const watch = this.watch;
    switch (watch.field) {
      case "customerUpdates":
        return update.customerId === watch.customerId ? whole(update) : null;
      case "customersUpdates":
        if (watch.filter === null) return whole(update);
        return this.#filtered(update, this.#known?.get(update.customerId), true);
      case "segmentUpdates": {
        if (watch.customerId !== null && watch.customerId !== update.customerId) return null;
        const segments = update.segments.filter((t) => watch.segments?.includes(t.segment) ?? true);
        return segments.length === 0 ? null : { segments, offers: [], matches: true };
      }
      case "offerUpdates": {
        if (watch.customerId !== null && watch.customerId !== update.customerId) return null;
        const offers = update.offers.filter(
          (t) => (watch.offers?.includes(t.offer) ?? true) && (watch.states?.includes(t.to) ?? true),
        );
        return offers.length === 0 ? null : { segments: [], offers, matches: true };
      }
    }
  }

  #filtered(update: Update, before: boolean | undefined, remember = false): Bearing | null {
    const { watch } = this;
    if (watch.field !== "customersUpdates" || watch.filter === null) return whole(update);
    const now = matches(watch.filter, update.customer);
    if (remember) this.#remember(update.customerId, now);
    if (now) return whole(update);
    const left = before ?? update.changed.some((path) => this.#fields?.has(path) ?? false);
    return left ? { ...whole(update), matches: false } : null;
  }

  #remember(customerId: string, isIn: boolean): void {
    this.#known ??= new Map();
    if (this.#known.size >= REMEMBERED_CUSTOMERS) this.#known.clear();
    this.#known.set(customerId, isIn);
  }
}

const NOTHING = Symbol("nothing");

function whole(update: Update): Bearing {
  return { segments: update.segments, offers: update.offers, matches: true };
}

/** Names an audience: equal for subscriptions that may share every frame. Joined, it is one piece of memory, not a tree of parts. */
export function audienceKey(watch: Watch, scope: string): string {
  return [scope, watchKey(watch)].join("\n");
}

/** The paths of `Announcement.changed` that can move a customer in or out of a filter. */
function fieldsOf(filter: CustomerFilter): Set<string> {
  switch (filter.kind) {
    case "and":
    case "or":
      return new Set(filter.filters.flatMap((part) => [...fieldsOf(part)]));
    case "not":
      return fieldsOf(filter.filter);
    case "segment":
      return new Set([`segments.${filter.segment}`]);
    case "field":
      if (filter.field.kind === "metric") return new Set([`metrics.${filter.field.name}`]);
      return filter.field.kind === "column" ? new Set([filter.field.table]) : new Set();
  }
}
