import type { Announcement, Customer, Note } from "../../customer/customer.ts";
import type { Body } from "./document-text.ts";
import { announcementText, bodyBytes, totalsText } from "./document-text.ts";
import type { Sqlite } from "./database.ts";
import type { PageStep, Step } from "./pending.ts";
import type { Row } from "../../customer/customer.ts";
import { textOfBytes, Utf8Text } from "./utf8-text.ts";

/**
 * Saves of customers, one behind the other, until the tables take them: a batch is written in one piece then, and a customer
 * that many batches change is written into the tables once.
 */
export interface Journal {
  /** Puts the parts of a save into text, and gives each its body. */
  text(steps: readonly Step[]): Uint8Array;
  append(text: Uint8Array): void;
  /** How many bytes were appended since it was last emptied. */
  readonly bytes: number;
  /** The parts of all saves in it, in their order; `stored` gives the documents in the tables that they began from. */
  replay(stored: (ids: readonly string[]) => ReadonlyMap<string, Customer>, take: (step: Step) => void): void;
  empty(): void;
}

type NoteLine = readonly [table: string, page: string, note: Note | null];
type PageLine = readonly [
  table: string,
  page: string,
  revision: number,
  liveRows: number,
  totals: PageStep["header"]["totals"],
  rows: readonly (readonly [key: string, row: Row | null])[],
];
type DocumentLine = readonly [
  revision: number,
  dueMs: number | null,
  outbox: readonly Announcement[],
  notes: readonly NoteLine[],
  body: Body,
];
/** A part of a save: one line of JSON. */
type Line = readonly [
  customerId: string,
  relay: boolean,
  pages: readonly PageLine[],
  document: DocumentLine | null,
];

/** The journal of a database file. All calls are made inside a transaction. */
export function sqliteJournal(db: Sqlite): Journal {
  const scratch = new Utf8Text();
  let bytes = 0;
  return {
    get bytes() {
      return bytes;
    },
    text(steps) {
      scratch.clear();
      const extents = steps.map((step) => writeStep(step, scratch));
      const text = Uint8Array.from(scratch.bytes());
      for (const [index, step] of steps.entries()) {
        const [from = 0, to = 0] = extents[index] ?? [];
        if (step.after !== step.before) step.body = text.subarray(from, to);
      }
      return text;
    },
    append(text) {
      bytes += text.length;
      db.prepare("INSERT INTO journal (saves) VALUES (?)").run(text);
    },
    replay(stored, take) {
      const texts = db.prepare("SELECT saves FROM journal ORDER BY number").all<[Uint8Array]>();
      bytes = texts.reduce((sum, [text]) => sum + text.length, 0);
      const lines = texts.flatMap(([text]) => textOfBytes(text).trimEnd().split("\n"));
      const parts = lines.map((line) => JSON.parse(line) as Line);
      const known = new Map(stored([...new Set(parts.map(([customerId]) => customerId))]));
      for (const part of parts) {
        const step = stepOf(part, known);
        known.set(step.after.customerId, step.after);
        take(step);
      }
    },
    empty() {
      bytes = 0;
      db.prepare("DELETE FROM journal").run();
    },
  };
}

/** Writes a line, and answers where in it the body is. */
function writeStep({ before, after, relay, pages }: Step, out: Utf8Text): readonly [number, number] {
  const head = `[${JSON.stringify(after.customerId)},${String(relay)},[${pages.map(pageText).join()}],`;
  if (after === before) {
    out.write(`${head}null]\n`);
    return [0, 0];
  }
  const { revision, dueMs, outbox } = after;
  out.write(
    `${head}[${revision},${dueMs},[${outbox.map(announcementText).join()}],[${notesText(before, after)}],`,
  );
  const from = out.length;
  out.append(bodyBytes(after));
  const to = out.length;
  out.write("]]\n");
  return [from, to];
}

function pageText({ table, page, header: { revision, liveRows, totals }, rows }: PageStep): string {
  let changed = "";
  for (const { key, row, text } of rows)
    changed += `${changed === "" ? "" : ","}[${JSON.stringify(key)},${row === null ? "null" : text}]`;
  const name = `${JSON.stringify(table)},${JSON.stringify(page)}`;
  return `[${name},${revision},${liveRows},${totalsText(totals)},[${changed}]]`;
}

/** The notes that differ. */
function notesText({ notes: old }: Customer, { notes: now }: Customer): string {
  if (old === now) return "";
  const lines: string[] = [];
  for (const table of new Set([...Object.keys(old), ...Object.keys(now)])) {
    const [left = {}, right = {}] = [old[table], now[table]];
    if (left === right) continue;
    const add = (page: string, note: string) =>
      lines.push(`[${JSON.stringify(table)},${JSON.stringify(page)},${note}]`);
    for (const page in right) {
      const note = right[page];
      if (note !== undefined && note !== left[page])
        add(
          page,
          `{"revision":${note.revision},"totals":${totalsText(note.totals)},"liveRows":${note.liveRows}}`,
        );
    }
    for (const page in left) if (right[page] === undefined) add(page, "null");
  }
  return lines.join();
}

/** What was written, put together again. */
function stepOf([customerId, relay, pages, document]: Line, known: ReadonlyMap<string, Customer>): Step {
  const before = known.get(customerId);
  if (before === undefined) throw new Error(`no document was looked up for ${customerId}`);
  const steps = pages.map(([table, page, revision, liveRows, totals, rows]): PageStep => ({
    ...{ customerId, table, page, header: { revision, liveRows, totals } },
    rows: rows.map(([key, row]) => ({ key, row, text: row === null ? "" : JSON.stringify(row) })),
  }));
  if (document === null) return { before, after: before, relay, pages: steps, body: null };
  const [revision, dueMs, outbox, notes, body] = document;
  const after = { customerId, revision, dueMs, ...body, notes: withNotes(before.notes, notes), outbox };
  return { before, after, relay, pages: steps, body: null };
}

function withNotes(before: Customer["notes"], lines: readonly NoteLine[]): Customer["notes"] {
  if (lines.length === 0) return before;
  const notes: Record<string, Record<string, Note>> = {};
  for (const table in before) notes[table] = { ...before[table] };
  for (const [table, page, note] of lines) {
    notes[table] ??= {};
    if (note === null) delete notes[table][page];
    else notes[table][page] = note;
  }
  return Object.fromEntries(Object.entries(notes).filter(([, pages]) => Object.keys(pages).length > 0));
}
