import type { Announcement, Customer, Note } from "../../customer/customer.ts";
import { textOfBytes, Utf8Text } from "./utf8-text.ts";

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

/** One page's or table's totals as JSON text. */
export function totalsText(totals: Note["totals"]): string {
  return remembered(totals, whole);
}

/** An announcement as JSON text. */
export function announcementText(announcement: Announcement): string {
  return remembered(announcement, whole);
}

/**
 * Writes the body as JSON, piece by piece. Rows are pieces of their own: their texts exist already, and one with characters
 * beyond Latin does not make a wide string of what is written beside it.
 */
function writeBody(customer: Customer, put: (piece: string) => void): void {
  const { tables, totals, history, crossings, metrics, segments, offers, freshness } = customer;
  let before = `{"tables":{`;
  for (const [name, rows] of Object.entries(tables)) {
    put(`${before}${JSON.stringify(name)}:`);
    put(remembered(rows, whole));
    before = ",";
  }
  let sums = "";
  for (const [name, each] of Object.entries(totals))
    sums += `${sums === "" ? "" : ","}${JSON.stringify(name)}:${totalsText(each)}`;
  put(
    `${before === "," ? "" : before}},"totals":{${sums}},"history":${JSON.stringify(history)},` +
      `"crossings":${JSON.stringify(crossings)},"metrics":${JSON.stringify(metrics)},` +
      `"segments":${remembered(segments, whole)},"offers":${remembered(offers, whole)},` +
      `"freshness":${JSON.stringify(freshness)}}`,
  );
}

/** The body as JSON text, made once for every use of the same document until it is forgotten. */
export function bodyText(customer: Customer): string {
  return remembered(customer, () => {
    let text = "";
    writeBody(customer, (piece) => (text += piece));
    return text;
  });
}

/** Bodies written since they were last forgotten, one behind the other, and where each of them is. */
const bytes = new Utf8Text();
const extents = new Map<Customer, readonly [from: number, to: number]>();

/** The body as UTF-8, the same bytes as its text, made once for the store and the stream. Good until bodies are forgotten. */
export function bodyBytes(customer: Customer): Uint8Array {
  let extent = extents.get(customer);
  if (extent === undefined) {
    const from = bytes.length;
    writeBody(customer, (piece) => bytes.write(piece));
    extent = [from, bytes.length];
    extents.set(customer, extent);
  }
  return bytes.bytes(...extent);
}

/** Forgets the bytes of all bodies: before a save writes new ones, and after a publish that was the last to use them. */
export function forgetBodies(): void {
  bytes.clear();
  extents.clear();
}

/** Drops the text of a body that nobody will write again, and keeps those of its parts. */
export function forgetBody(customer: Customer): void {
  texts.delete(customer);
}

/** Reads a body back, from its text or its bytes. */
export function parseBody(body: string | Uint8Array): Body {
  return JSON.parse(typeof body === "string" ? body : textOfBytes(body)) as Body;
}

/** A document for readers: without outbox, with light notes. */
export function lightDocument(customer: Customer): Customer {
  return { ...customer, notes: lightNotes(customer.notes), outbox: [] };
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
