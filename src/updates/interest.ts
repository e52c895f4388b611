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

/** An index by customer, by segment, by offer, and of those who filter all customers. */
export function createIndex(): Index {
  const shelves = new Map<string, Few<Audience>>();
  return {
    add(audience) {
      for (const key of keysOf(audience)) {
        const shelf = shelves.get(key);
        if (shelf !== undefined) shelf.add(audience);
        else shelves.set(key, shelved(audience));
      }
    },
    remove(audience) {
      for (const key of keysOf(audience)) {
        const shelf = shelves.get(key);
        shelf?.delete(audience);
        if (shelf?.size === 0) shelves.delete(key);
      }
    },
    size: () => shelves.size,
    concernedBy(update) {
      const found = new Set<Audience>();
      const collect = (key: string) => {
        shelves.get(key)?.each((audience) => found.add(audience));
      };
      collect(`customer ${update.customerId}`);
      collect("customers");
      for (const { segment } of update.segments) collect(`segment ${segment}`);
      for (const { offer } of update.offers) collect(`offer ${offer}`);
      if (update.segments.length > 0) collect(`segments ${ANY}`);
      if (update.offers.length > 0) collect(`offers ${ANY}`);
      return [...found];
    },
  };
}

function shelved(audience: Audience): Few<Audience> {
  const shelf = new Few<Audience>();
  shelf.add(audience);
  return shelf;
}

function keysOf({ watch }: Audience): readonly string[] {
  switch (watch.field) {
    case "customerUpdates":
      return [`customer ${watch.customerId}`];
    case "customersUpdates":
      return ["customers"];
    case "segmentUpdates":
      if (watch.customerId !== null) return [`customer ${watch.customerId}`];
      return watch.segments?.map((segment) => `segment ${segment}`) ?? [`segments ${ANY}`];
    case "offerUpdates":
      if (watch.customerId !== null) return [`customer ${watch.customerId}`];
      return watch.offers?.map((offer) => `offer ${offer}`) ?? [`offers ${ANY}`];
  }
}
