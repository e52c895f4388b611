import type { Announcement, Customer, Note, Rows } from "../customer/customer.ts";

/** The parts of a document that are stored as one text. The rest (revision, due time, outbox, notes) has columns or rows of its own. */
export type Body = Omit<Customer, "customerId" | "revision" | "dueMs" | "outbox" | "notes">;

/**
 * Documents share the parts that did not change with the version before, so each part's text is made once and found again
 * by the identity of the part: writing a document costs its changed parts, not its size.
 */
const texts = new WeakMap<object, string>();

function remembered<T extends object>(part: T, write: (part: T) => string): string {
  let text = texts.get(part);
  if (text === undefined) {
    text = write(part);
    texts.set(part, text);
  }
  return text;
}

function whole(part: object): string {
  return JSON.stringify(part);
}

function members<T extends object>(parts: Readonly<Record<string, T>>, write: (part: T) => string): string {
  let out = "";
  for (const [name, part] of Object.entries(parts)) {
    out += `${out === "" ? "{" : ","}${JSON.stringify(name)}:${write(part)}`;
  }
  return out === "" ? "{}" : `${out}}`;
}

/** One page's or table's totals as JSON text. */
export function totalsText(totals: Note["totals"]): string {
  return remembered(totals, whole);
}

/** An announcement as JSON text. */
export function announcementText(announcement: Announcement): string {
  return remembered(announcement, whole);
}

/** The body as JSON text, the same bytes for every use of the same document until it is forgotten. */
export function bodyText(customer: Customer): string {
  return remembered(
    customer,
    ({ tables, totals, history, crossings, metrics, segments, offers, freshness }) => {
      const rows = members(tables, (table: Rows) => remembered(table, whole));
      return (
        `{"tables":${rows},"totals":${members(totals, totalsText)},"history":${JSON.stringify(history)},` +
        `"crossings":${JSON.stringify(crossings)},"metrics":${JSON.stringify(metrics)},` +
        `"segments":${remembered(segments, whole)},"offers":${remembered(offers, whole)},` +
        `"freshness":${JSON.stringify(freshness)}}`
      );
    },
  );
}

/** Drops the text of a body that nobody will write again, and keeps those of its parts. */
export function forgetBody(customer: Customer): void {
  texts.delete(customer);
}

/** Reads a body back. */
export function parseBody(text: string): Body {
  return JSON.parse(text) as Body;
}

/** Notes as the API sees them: per paged table one note, named `all`, with the number of live rows and no totals. */
export function lightNotes(notes: Customer["notes"]): Customer["notes"] {
  const light: Record<string, Record<string, Note>> = {};
  for (const [table, pages] of Object.entries(notes)) {
    let liveRows = 0;
    for (const note of Object.values(pages)) liveRows += note.liveRows;
    light[table] = { all: { revision: 0, totals: {}, liveRows } };
  }
  return light;
}
