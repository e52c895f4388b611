import type { Announcement, Customer, Update } from "../customer/customer.ts";
import type { Body } from "../store/sqlite/document-text.ts";
import {
  announcementText,
  bodyBytes,
  bodyText,
  lightDocument,
  lightNotes,
} from "../store/sqlite/document-text.ts";
import type { Utf8Text } from "../store/sqlite/utf8-text.ts";

/** An update as readers get it: its document without outbox, and of its notes the number of live rows per paged table only. */
export function lightUpdate(update: Update): Update {
  return { ...update, customer: lightDocument(update.customer) };
}

/** An update as streams store it: three parts of JSON, of which the last is the body. */
export function updateText(update: Update): string {
  return `${headText(update)}${bodyText(update.customer)}]`;
}

/** The same as UTF-8. The body's bytes are the very ones the SQLite store wrote, made once for both. */
export function writeUpdate(update: Update, out: Utf8Text): void {
  out.write(headText(update));
  out.append(bodyBytes(update.customer));
  out.write("]");
}

function headText(update: Update): string {
  const { customerId, revision, dueMs, notes } = update.customer;
  const rest = JSON.stringify({ customerId, revision, dueMs, notes: lightNotes(notes), outbox: [] });
  return `[${announcementOf(update)},${rest},`;
}

/** The text of an update's announcement: mostly it is one of the document's outbox, whose text the store has made. */
function announcementOf({ customer, ...announcement }: Update): string {
  const { revision, changed, segments, offers, freshness } = announcement;
  const saved = customer.outbox.find((each) => each.revision === revision);
  const isSame =
    saved?.changed === changed &&
    saved.segments === segments &&
    saved.offers === offers &&
    saved.freshness === freshness;
  return isSame ? announcementText(saved) : JSON.stringify(announcement);
}

/** What `updateText` wrote, as JSON. */
export type UpdateJson = readonly [Announcement, Omit<Customer, keyof Body>, Body];

/** Puts an update together again. */
export function updateOf([announcement, rest, body]: UpdateJson): Update {
  return { ...announcement, customer: { ...rest, ...body } };
}
