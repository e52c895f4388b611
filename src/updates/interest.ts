import type { Update } from "../customer/customer.ts";
import type { Audience } from "./audience.ts";
import { Few } from "./few.ts";

/** Finds the audiences an update may concern, without asking the others. */
export interface Index {
  add(audience: Audience): void;
  remove(audience: Audience): void;
  /** Entries in the index: 0 when nobody is left in it. */
  size(): number;
  /** Each audience once. What it really means to them is theirs to weigh. */
  concernedBy(update: Update): readonly Audience[];
}

const ANY = "*";

/** Mostly there is one audience under a key; it stands there by itself, and its customer's id is the key as it is. */
type Shelves = Map<string, Audience | Few<Audience>>;

interface Places {
  readonly shelves: Shelves;
  readonly keys: readonly string[];
}

/** An index by customer, by segment, by offer, and of those who filter all customers. */
export function createIndex(): Index {
  const customers: Shelves = new Map();
  const others: Shelves = new Map();
  const placesOf = (audience: Audience): Places => {
    const customerId = customerOf(audience);
    return customerId === null
      ? { shelves: others, keys: keysOf(audience) }
      : { shelves: customers, keys: [customerId] };
  };
  return {
    add(audience) {
      const { shelves, keys } = placesOf(audience);
      for (const key of keys) {
        const shelf = shelves.get(key);
        if (shelf instanceof Few) shelf.add(audience);
        else shelves.set(key, shelf === undefined ? audience : both(shelf, audience));
      }
    },
    remove(audience) {
      const { shelves, keys } = placesOf(audience);
      for (const key of keys) {
        const shelf = shelves.get(key);
        if (shelf instanceof Few) shelf.delete(audience);
        if (shelf === audience || (shelf instanceof Few && shelf.size === 0)) shelves.delete(key);
      }
    },
    size: () => customers.size + others.size,
    concernedBy(update) {
      const found = new Set<Audience>();
      const collect = (shelves: Shelves, key: string) => {
        const shelf = shelves.get(key);
        if (shelf instanceof Few) shelf.each((audience) => found.add(audience));
        else if (shelf !== undefined) found.add(shelf);
      };
      collect(customers, update.customerId);
      collect(others, "customers");
      for (const { segment } of update.segments) collect(others, `segment ${segment}`);
      for (const { offer } of update.offers) collect(others, `offer ${offer}`);
      if (update.segments.length > 0) collect(others, `segments ${ANY}`);
      if (update.offers.length > 0) collect(others, `offers ${ANY}`);
      return [...found];
    },
  };
}

function both(one: Audience, other: Audience): Few<Audience> {
  const shelf = new Few<Audience>();
  shelf.add(one);
  shelf.add(other);
  return shelf;
}

/** The one customer an audience watches; null for those that watch more. */
function customerOf({ watch }: Audience): string | null {
  return watch.field === "customersUpdates" ? null : watch.customerId;
}

function keysOf({ watch }: Audience): readonly string[] {
  switch (watch.field) {
    case "customerUpdates": // Stands under its customer.
    case "customersUpdates":
      return ["customers"];
    case "segmentUpdates":
      return watch.segments?.map((segment) => `segment ${segment}`) ?? [`segments ${ANY}`];
    case "offerUpdates":
      return watch.offers?.map((offer) => `offer ${offer}`) ?? [`offers ${ANY}`];
  }
}
