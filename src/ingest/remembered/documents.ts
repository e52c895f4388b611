import type { Customer } from "../../customer/customer.ts";

/** The documents worked on last. A stale one does no harm: saving it is a conflict, after which it is loaded again. */
export interface Documents {
  find(customerId: string): Customer | undefined;
  keep(customer: Customer): void;
  forget(customerId: string): void;
}

/** Bounds of the cache; whichever is reached first. */
export interface DocumentLimits {
  readonly count: number;
  /** Estimated, from the number of rows. */
  readonly bytes: number;
}

interface Kept {
  readonly customer: Customer;
  readonly bytes: number;
}

/** Keeps the documents used last, within both limits. */
export function createDocuments(limits: DocumentLimits): Documents {
  // A Map iterates in insertion order, so the first key is the one unused for longest.
  const kept = new Map<string, Kept>();
  let total = 0;
  const forget = (customerId: string): void => {
    const found = kept.get(customerId);
    if (found === undefined) return;
    kept.delete(customerId);
    total -= found.bytes;
  };
  return {
    find: (customerId) => {
      const found = kept.get(customerId);
      if (found === undefined) return undefined;
      kept.delete(customerId);
      kept.set(customerId, found);
      return found.customer;
    },
    keep: (customer) => {
      forget(customer.customerId);
      const bytes = estimateBytes(customer);
      kept.set(customer.customerId, { customer, bytes });
      total += bytes;
      while (kept.size > limits.count || total > limits.bytes) {
        const [oldest] = kept.keys();
        if (oldest === undefined) return;
        forget(oldest);
      }
    },
    forget,
  };
}

const BASE_BYTES = 4_000;
const ROW_BYTES = 600;
const NOTE_BYTES = 400;

/** Rough on purpose: exact sizes would cost more than they save. */
function estimateBytes({ tables, notes }: Customer): number {
  let bytes = BASE_BYTES;
  for (const name in tables) bytes += ROW_BYTES * countKeys(tables[name]);
  for (const name in notes) bytes += NOTE_BYTES * countKeys(notes[name]);
  return bytes;
}

const countKeys = (map: object | undefined): number => (map === undefined ? 0 : Object.keys(map).length);
