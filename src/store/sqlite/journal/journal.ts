import type { Announcement, Customer, Note } from "../../../customer/customer.ts";
import type { Row } from "../../../customer/customer.ts";
import type { Sqlite } from "../../../embedded/database.ts";
import type { Body } from "../../document-text.ts";
import { bodyBytes, outboxTexts, quoted, totalsText } from "../../document-text.ts";
import { textOfBytes, Utf8Text } from "../../utf8-text.ts";
import { isNoteOf, isToldBy } from "../notes.ts";
import type { PageStep, Step } from "./pending.ts";

/**
 * Saves of customers, one behind the other, until the tables take them: a batch is written in one piece then, and a customer
 * that many batches change is written into the tables once.
 */
export interface Journal {
  /** Puts the parts of a save into text, and notes with each where its body is. */
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
  isNoted: boolean,
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
      for (const step of steps) writeStep(step, scratch);
      return new Uint8Array(scratch.bytes());
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
        const step = stepIn(part, known);
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

const NOWHERE = { from: 0, to: 0 };

const NONE: Readonly<Record<string, Note>> = {};

/** Writes a line, and notes where in it the body is. */
function writeStep(step: Step, out: Utf8Text): void {
  const { before, after, relay, pages } = step;
  let pageLines = "";
  for (const page of pages) pageLines += `${pageLines === "" ? "" : ","}${pageText(page, after)}`;
  const start = `[${quoted(after.customerId)},${relay},[${pageLines}],`;
  if (after === before) {
    out.write(`${start}null]\n`);
    return;
  }
  const { revision, dueMs } = after;
  out.write(`${start}[${revision},${dueMs},[${outboxTexts(after).join()}],[${notesText(step)}],`);
  step.from = out.length;
  out.append(bodyBytes(after));
  step.to = out.length;
  out.write("]]\n");
}

function pageText({ table, page, header, totals, rows }: PageStep, { notes }: Customer): string {
  const { revision, liveRows } = header;
  const isNoted = isNoteOf(notes[table]?.[page], header);
  let rowLines = "";
  for (const { key, row, text } of rows)
    rowLines += `${rowLines === "" ? "" : ","}[${JSON.stringify(key)},${row === null ? "null" : text}]`;
  return `[${quoted(table)},${quoted(page)},${revision},${liveRows},${totals},${isNoted},[${rowLines}]]`;
}

/** The notes that differ and are not what the header of a page in the same line says. */
function notesText({ before, after, pages }: Step): string {
  const { notes: old } = before;
  const { notes: now } = after;
  if (old === now) return "";
  let lines = "";
  const add = (table: string, page: string, note: string) => {
    lines += `${lines === "" ? "" : ","}[${quoted(table)},${quoted(page)},${note}]`;
  };
  for (const table in now) {
    const [left = NONE, right = NONE] = [old[table], now[table]];
    if (left === right) continue;
    for (const page in right) {
      const note = right[page];
      if (note === undefined || note === left[page] || isToldBy(pages, { table, page, note })) continue;
      const { revision, liveRows } = note;
      add(table, page, `{"revision":${revision},"totals":${totalsText(note.totals)},"liveRows":${liveRows}}`);
    }
  }
  for (const table in old)
    for (const page in old[table]) if (now[table]?.[page] === undefined) add(table, page, "null");
  return lines;
}

/** What was written, put together again. */
function stepIn([customerId, relay, pages, document]: Line, known: ReadonlyMap<string, Customer>): Step {
  const before = known.get(customerId);
  if (before === undefined) throw new Error(`no document was looked up for ${customerId}`);
  const steps = pages.map(([table, page, revision, liveRows, totals, , rows]): PageStep => ({
    customerId,
    table,
    page,
    header: { revision, liveRows, totals },
    totals: JSON.stringify(totals),
    rows: rows.map(([key, row]) => ({ key, row, text: row === null ? "" : JSON.stringify(row) })),
  }));
  if (document === null) return { before, after: before, relay, pages: steps, ...NOWHERE };
  const [revision, dueMs, outbox, notes, body] = document;
  const noted = pages.flatMap(([table, page, at, liveRows, totals, isNoted]): NoteLine[] =>
    isNoted ? [[table, page, { revision: at, totals, liveRows }]] : [],
  );
  const changed = withNotes(before.notes, [...noted, ...notes]);
  const after = { customerId, revision, dueMs, ...body, notes: changed, outbox };
  return { before, after, relay, pages: steps, ...NOWHERE };
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
