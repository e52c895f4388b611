import type { Announcement, Customer, Update } from "../customer/customer.ts";
import type { Body } from "../store/document-text.ts";
import {
  announcementText,
  bodyBytes,
  bodyText,
  lightDocument,
  lightNotesText,
  outboxTexts,
  quoted,
} from "../store/document-text.ts";
import type { Utf8Text } from "../store/utf8-text.ts";

/** An update as readers get it: its document without outbox, and of its notes the number of live rows per paged table only. */
export function lightUpdate(update: Update): Update {
  return { ...update, customer: lightDocument(update.customer) };
}

/** An update as streams store it: three parts of JSON, of which the last is the body. */
export function updateText(update: Update): string {
  const { customer, ...announcement } = update;
  return `${headText(announcementText(announcement), customer)}${bodyText(customer)}]`;
}

/** The same as UTF-8. Announcement and body are the very texts and bytes the SQLite store wrote, made once for both. */
export function writeUpdate(update: Update, out: Utf8Text): void {
  const { customer } = update;
  out.write(headText(announcedText(update), customer));
  out.append(bodyBytes(customer));
  out.write("]");
}

function headText(announced: string, { customerId, revision, dueMs, notes }: Customer): string {
  const head = `{"customerId":${quoted(customerId)},"revision":${revision},"dueMs":${dueMs}`;
  return `[${announced},${head},"notes":${lightNotesText(notes)},"outbox":[]},`;
}

/** The text of an update's announcement: mostly it is one of the document's outbox. */
function announcedText(update: Update): string {
  const { revision, changed, segments, offers, freshness } = update;
  const { outbox } = update.customer;
  const index = outbox.findIndex((each) => each.revision === revision);
  const saved = outbox[index];
  const isSame =
    saved?.changed === changed &&
    saved.segments === segments &&
    saved.offers === offers &&
    saved.freshness === freshness;
  const text = isSame ? outboxTexts(update.customer)[index] : undefined;
  if (text !== undefined) return text;
  const { customer: _, ...announcement } = update;
  return announcementText(announcement);
}

/** What `updateText` wrote, as JSON. */
export type UpdateJson = readonly [Announcement, Omit<Customer, keyof Body>, Body];

/** Puts an update together again. */
export function updateOf([announcement, rest, body]: UpdateJson): Update {
  return { ...announcement, customer: { ...rest, ...body } };
}
