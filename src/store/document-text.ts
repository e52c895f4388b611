import type { Announcement, Customer, Freshness, Note, Rows } from "../customer/customer.ts";
import { countNoted } from "../customer/live-rows.ts";
import { Lately } from "./lately.ts";
import { textOfBytes, Utf8Text } from "./utf8-text.ts";

/**
 * The parts of a document that are stored as one text.
 * The rest (revision, due time, outbox, notes) has columns or rows of its own.
 */
export type Body = Omit<Customer, "customerId" | "revision" | "dueMs" | "outbox" | "notes">;

/** A text made from an object that is never changed. */
interface Made<T extends object> {
  readonly of: T;
  readonly text: string;
}

/**
 * Documents share the parts that did not change with the version before, so the texts of a customer's parts are kept with
 * those of the version written last: writing a document costs its changed parts, not its size.
 */
interface Written {
  readonly tables: TableText[];
  segments: Made<Customer["segments"]>;
  offers: Made<Customer["offers"]>;
}

/** The text of a table's rows. */
interface TableText {
  readonly name: string;
  of: Rows;
  text: string;
}

/** Customers whose parts are remembered at least, for bytes: as many as are worked on again and again. */
const REMEMBERED = 10_000;
/**
 * The same for texts. They are written for a stream elsewhere alone, beside a store elsewhere:
 * less of the work, and of the memory.
 */
const REMEMBERED_FOR_TEXTS = 1_000;

const writtenAsBytes = new Lately<Written>(REMEMBERED);
const writtenAsTexts = new Lately<Written>(REMEMBERED_FOR_TEXTS);

function madeFrom<T extends object>(of: T, last: Made<T> | undefined): Made<T> {
  return last?.of === of ? last : { of, text: whole(of) };
}

function whole(part: object): string {
  for (const _ in part) return JSON.stringify(part);
  return "{}";
}

let lastTotals: Made<Note["totals"]> = { of: {}, text: "{}" };

/** One page's or table's totals as JSON text; the same ones are mostly asked for several times in a row. */
export function totalsText(totals: Note["totals"]): string {
  lastTotals = madeFrom(totals, lastTotals);
  return lastTotals.text;
}

/** What stands in JSON as it is. */
const PLAIN = /^[ !#-[\]-~]*$/;

/** A short text as JSON; for most, finding that nothing has to be escaped is faster than `JSON.stringify`. */
export function quoted(text: string): string {
  return PLAIN.test(text) ? `"${text}"` : JSON.stringify(text);
}

/** An announcement as JSON text. */
export function announcementText(announcement: Announcement): string {
  const { customerId, revision, changed, segments, offers, freshness } = announcement;
  let names = "";
  for (const name of changed) names += names === "" ? quoted(name) : `,${quoted(name)}`;
  return (
    `{"customerId":${quoted(customerId)},"revision":${revision},"changed":[${names}],` +
    `"segments":${listText(segments)},"offers":${listText(offers)},"freshness":${freshnessText(freshness)}}`
  );
}

let lastFreshness: Made<Freshness> | null = null;

/** Freshness as JSON text: an announcement and its document have the same. */
function freshnessText(freshness: Freshness): string {
  if (lastFreshness?.of !== freshness) {
    const { sourceMs, ingestedMs, appliedMs } = freshness;
    const text = `{"sourceMs":${sourceMs},"ingestedMs":${ingestedMs},"appliedMs":${appliedMs}}`;
    lastFreshness = { of: freshness, text };
  }
  return lastFreshness.text;
}

function listText(list: readonly unknown[]): string {
  return list.length === 0 ? "[]" : JSON.stringify(list);
}

/** What was written of a customer last; its parts are brought up to date as they are written. */
function writtenOf(written: Lately<Written>, { customerId, segments, offers }: Customer): Written {
  let last = written.get(customerId);
  if (last === undefined) {
    last = { tables: [], segments: madeFrom(segments, undefined), offers: madeFrom(offers, undefined) };
    written.set(customerId, last);
  }
  return last;
}

function rowsText({ tables }: Written, name: string, of: Rows): string {
  for (const each of tables) {
    if (each.name !== name) continue;
    if (each.of !== of) [each.of, each.text] = [of, whole(of)];
    return each.text;
  }
  const text = whole(of);
  tables.push({ name, of, text });
  return text;
}

/**
 * Writes the body as JSON, piece by piece. Rows are pieces of their own: their texts exist already, and one with characters
 * beyond Latin does not make a wide string of what is written beside it.
 */
function writeBody(customer: Customer, last: Written, put: (piece: string) => void): void {
  const { tables, totals, history, crossings, metrics, segments, offers, freshness } = customer;
  let before = `{"tables":{`;
  for (const name in tables) {
    const rows = tables[name];
    if (rows === undefined) continue;
    put(`${before}${quoted(name)}:`);
    put(rowsText(last, name, rows));
    before = ",";
  }
  let sums = "";
  for (const name in totals) {
    const each = totals[name];
    if (each !== undefined) sums += `${sums === "" ? "" : ","}${quoted(name)}:${totalsText(each)}`;
  }
  last.segments = madeFrom(segments, last.segments);
  last.offers = madeFrom(offers, last.offers);
  put(
    `${before === "," ? "" : before}},"totals":{${sums}},"history":${whole(history)},` +
      `"crossings":${whole(crossings)},"metrics":${whole(metrics)},"segments":${last.segments.text},` +
      `"offers":${last.offers.text},"freshness":${freshnessText(freshness)}}`,
  );
}

const texts = new WeakMap<Customer, string>();

/** The body as JSON text, made once for every use of the same document until it is forgotten. */
export function bodyText(customer: Customer): string {
  let text = texts.get(customer);
  if (text === undefined) {
    text = "";
    writeBody(customer, writtenOf(writtenAsTexts, customer), (piece) => (text += piece));
    texts.set(customer, text);
  }
  return text;
}

/** What was written of a document since bodies were last forgotten. */
interface Form {
  /** Where its body is among the bytes. */
  from: number;
  to: number;
  /** Texts of the outbox. */
  outbox: readonly string[] | null;
}

/** Bodies written since they were last forgotten, one behind the other. */
const bytes = new Utf8Text();
const forms = new Map<Customer, Form>();

function formOf(customer: Customer): Form {
  let form = forms.get(customer);
  if (form === undefined) {
    form = { from: -1, to: -1, outbox: null };
    forms.set(customer, form);
  }
  return form;
}

/** The body as UTF-8, the same bytes as its text, made once for the store and the stream. Good until bodies are forgotten. */
export function bodyBytes(customer: Customer): Uint8Array {
  const form = formOf(customer);
  if (form.from < 0) {
    const from = bytes.length;
    writeBody(customer, writtenOf(writtenAsBytes, customer), putBytes);
    [form.from, form.to] = [from, bytes.length];
  }
  return bytes.bytes(form.from, form.to);
}

const putBytes = (piece: string): void => bytes.write(piece);

/** The outbox as JSON texts, one per announcement, made once for the store and the stream, as the body is. */
export function outboxTexts(customer: Customer): readonly string[] {
  const form = formOf(customer);
  form.outbox ??= customer.outbox.map(announcementText);
  return form.outbox;
}

/** Forgets the bytes of all bodies: before a save writes new ones, and after a publish that was the last to use them. */
export function forgetBodies(): void {
  bytes.clear();
  forms.clear();
}

/** Drops the text of a body that nobody will write again. */
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

/** Light notes as JSON text. */
export function lightNotesText(notes: Customer["notes"]): string {
  let text = "";
  for (const table in notes) {
    const note = `{"revision":0,"totals":{},"liveRows":${countNoted(notes[table])}}`;
    text += `${text === "" ? "" : ","}${quoted(table)}:{"all":${note}}`;
  }
  return `{${text}}`;
}

/** Notes as the API sees them: per paged table one note, named `all`, with the number of live rows and no totals. */
export function lightNotes(notes: Customer["notes"]): Customer["notes"] {
  const light: Record<string, Record<string, Note>> = {};
  for (const table of Object.keys(notes))
    light[table] = { all: { revision: 0, totals: {}, liveRows: countNoted(notes[table]) } };
  return light;
}
