import type { Customer } from "../customer/customer.ts";
import { type StoredCustomer, customerOf } from "./mongo-documents.ts";
import { nameOf } from "./mongo-names.ts";

/** What readers are not told, or find elsewhere. */
export const NOT_READ = { outbox: 0, notes: 0, places: 0, holds: 0, offered: 0, listed: 0, relay: 0, by: 0 };

/** A document as the API sees it: without outbox, and with one note per paged table that tells its number of live rows. */
export function readableOf(found: StoredCustomer): Customer {
  const noted = (found["noted"] ?? {}) as Readonly<Record<string, number>>;
  const notes = Object.entries(noted).map(([table, liveRows]) => [
    nameOf(table),
    { all: { revision: 0, totals: {}, liveRows } },
  ]);
  return { ...customerOf(found), notes: Object.fromEntries(notes) as Customer["notes"], outbox: [] };
}
