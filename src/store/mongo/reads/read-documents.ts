import type { Customer } from "../../../customer/customer.ts";
import { customerOf, LOADED, type StoredCustomer } from "../documents/documents.ts";
import { nameOf } from "../documents/names.ts";

/** What readers are told: the customer itself without outbox and notes, and what cursors are made of. */
export const READ: Readonly<Record<string, 1>> = Object.fromEntries(
  [...Object.keys(LOADED).filter((part) => part !== "outbox" && part !== "notes"), "noted", "facts"].map(
    (part): [string, 1] => [part, 1],
  ),
);

/** A document as the API sees it: without outbox, and with one note per paged table that tells its number of live rows. */
export function readableOf(found: StoredCustomer): Customer {
  const noted = (found["noted"] ?? {}) as Readonly<Record<string, number>>;
  const notes = Object.entries(noted).map(([table, liveRows]) => [
    nameOf(table),
    { all: { revision: 0, totals: {}, liveRows } },
  ]);
  return { ...customerOf(found), notes: Object.fromEntries(notes) as Customer["notes"], outbox: [] };
}
