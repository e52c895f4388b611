import type { Change, Position, Verdict } from "../cdc/change.ts";
import type { Judged, PageChange } from "./applied.ts";
import type { Customer, Page, Row, Rows } from "./customer.ts";
import { fold, sameVisibly } from "./fold.ts";
import type { TableLookup } from "./lookup.ts";
import { type KeyedRows, type Notes, notePage, turnPage } from "./page.ts";
import { above } from "./parts.ts";

/** Rows of one inline table or of one page, with what this batch made of them. */
interface Holder {
  readonly table: TableLookup;
  readonly page: Page | null;
  readonly rows: Rows;
  /** Made with the first change that counts: what is only repeated or late leaves nothing. */
  changed: ChangedRows | null;
}

/** Changed rows, null for one dropped from store, with their keys. */
interface ChangedRows {
  /**
   * Without a prototype: an object literal keyed by row keys would make the engine learn a new shape for every key it meets,
   * which costs more than everything else that is done with a row.
   */
  readonly rows: Record<string, Row | null>;
  readonly keys: string[];
}

function noRows(): Record<string, never> {
  return Object.create(null);
}

const NONE: readonly never[] = [];

/** The rows of a customer while a batch is folded into them. */
export interface Draft {
  readonly customer: Customer;
  readonly tables: ReadonlyMap<string, TableLookup>;
  readonly pages: readonly Page[];
  holders: readonly Holder[];
  /** Pages a truncate concerns that are not loaded whole. */
  missing: readonly Page[];
  truncates: Readonly<Record<string, Position>>;
}

/** A draft in which nothing has changed yet. */
export function draftOf(
  { customer, pages, truncates }: Pick<Draft, "customer" | "pages" | "truncates">,
  tables: Draft["tables"],
): Draft {
  return { customer, tables, pages, holders: NONE, missing: NONE, truncates };
}

/** What a batch made of a customer's rows. Every part that did not change is the very same object as before. */
export interface DraftedRows extends Notes {
  readonly tables: Customer["tables"];
  readonly pages: readonly PageChange[];
  /** Paged tables whose rows differ visibly from what was announced. */
  readonly pagedTables: readonly string[];
  readonly needsWhole: readonly Page[];
}

/** Folds one change into a draft. */
export function take(draft: Draft, change: Change, table: TableLookup): Judged {
  if (change.op === "truncate") {
    return { change, verdict: truncate(draft, change, table), conflict: false };
  }
  const holder = holderOf(draft, change, table);
  const stored = rowIn(holder, change.key);
  const { row, verdict, conflict } = fold(stored, change, draft.truncates[change.table]);
  if (row !== stored) put(holder, change.key, row);
  return { change, verdict, conflict };
}

/** What a draft came to. */
export function finish({ customer, tables: lookups, pages, holders, missing }: Draft): DraftedRows {
  let { tables } = customer;
  let kept: Notes = customer;
  let turned: readonly PageChange[] = NONE;
  let pagedTables: readonly string[] = NONE;
  let needsWhole = missing;
  for (const { page, table, rows, changed } of holders) {
    if (changed === null) continue;
    if (page === null) {
      tables = { ...tables, [table.table.name]: turnRows(rows, changed) };
      continue;
    }
    const next = turnPage(page, present(changed), table.metrics);
    if (next === null) needsWhole = appended(needsWhole, page);
    else turned = appended(turned, next);
    if (differs(rows, changed)) pagedTables = named(pagedTables, page.table);
  }
  for (const page of pages) {
    const after = turnedOf(turned, page);
    const noted = kept;
    kept = notePage(kept, after, lookups.get(page.table)?.metrics ?? NONE);
    const isAhead = page.revision > (customer.notes[page.table]?.[page.page]?.revision ?? 0);
    if (kept !== noted && isAhead) pagedTables = named(pagedTables, page.table);
  }
  return { tables, notes: kept.notes, totals: kept.totals, pages: turned, pagedTables, needsWhole };
}

/** Adds to a short list. Nearly all have one member in the end, and `push` would make room for seventeen. */
function appended<T>(list: readonly T[], added: T): readonly T[] {
  return list.length === 0 ? [added] : [...list, added];
}

function named(names: readonly string[], added: string): readonly string[] {
  return names.includes(added) ? names : appended(names, added);
}

function turnedOf(turned: readonly PageChange[], page: Page): Page {
  for (const { before, after } of turned) if (before === page) return after;
  return page;
}

function holderOf(draft: Draft, change: Change, table: TableLookup): Holder {
  const page = table.paged ? pageOf(draft, change) : null;
  for (const holder of draft.holders) if (holder.table === table && holder.page === page) return holder;
  return addHolder(draft, table, page);
}

function addHolder(draft: Draft, table: TableLookup, page: Page | null): Holder {
  const rows = page === null ? (draft.customer.tables[table.table.name] ?? NO_ROWS) : page.rows;
  const holder: Holder = { table, page, rows, changed: null };
  draft.holders = appended(draft.holders, holder);
  return holder;
}

const NO_ROWS: Rows = Object.freeze({});

function pageOf({ pages }: Draft, change: Change): Page {
  for (const page of pages) if (page.page === change.page && page.table === change.table) return page;
  throw new Error(`page ${change.page ?? "null"} of ${change.table} was not loaded`);
}

function rowIn({ rows, changed }: Holder, key: string): Row | undefined {
  const own = changed === null ? undefined : changed.rows[key];
  return own === undefined ? rows[key] : (own ?? undefined);
}

/** A page cannot forget a row, so there a dropped one stays as a dead one below the watermark, which nothing looks at again. */
function put(holder: Holder, key: string, row: Row | undefined): void {
  let kept = row ?? null;
  if (row === undefined && holder.page !== null) {
    const old = rowIn(holder, key);
    if (old?.live !== true) return;
    kept = { at: old.at, live: false, values: {}, origin: old.origin };
  }
  if (holder.changed === null) holder.changed = { rows: noRows(), keys: [key] };
  else if (holder.changed.rows[key] === undefined) holder.changed.keys.push(key);
  holder.changed.rows[key] = kept;
}

/** Sweeps the table: the customer's part of a truncate. */
function truncate(draft: Draft, { table: tableName, position }: Change, table: TableLookup): Verdict {
  const watermark = draft.truncates[tableName];
  if (watermark !== undefined && position < watermark) return "late";
  draft.truncates = { ...draft.truncates, [tableName]: position };
  const pages = table.paged ? draft.pages.filter((page) => page.table === tableName) : [null];
  let swept = false;
  for (const page of pages) {
    const known = draft.holders.find((holder) => holder.table === table && holder.page === page);
    swept = sweep(known ?? addHolder(draft, table, page), position) || swept;
  }
  if (table.paged) draft.missing = [...draft.missing, ...notWhole(draft, tableName)];
  return swept ? "applied" : "duplicate";
}

/** Takes everything below a truncate out of a holder; true when something was there. */
function sweep(holder: Holder, watermark: Position): boolean {
  let swept = false;
  for (const key of new Set([...Object.keys(holder.rows), ...(holder.changed?.keys ?? NONE)])) {
    const row = rowIn(holder, key);
    const rest = row === undefined ? undefined : above(row, watermark);
    if (rest === row) continue;
    put(holder, key, rest);
    swept ||= row?.live === true;
  }
  return swept;
}

/** The pages of a table, at hand or only noted, that are not loaded whole. */
function notWhole({ customer, pages }: Draft, table: string): Page[] {
  const loaded = pages.filter((page) => page.table === table);
  const names = new Set(loaded.map(({ page }) => page));
  const noted = Object.keys(customer.notes[table] ?? {}).filter((page) => !names.has(page));
  const unknown = { revision: 0, totals: {}, liveRows: 0, rows: {}, whole: false };
  return [
    ...loaded.filter(({ whole, revision }) => !whole && revision > 0),
    ...noted.map((page) => ({ customerId: customer.customerId, table, page, ...unknown })),
  ];
}

/** An inline table's rows with the changed ones among them. */
function turnRows(rows: Rows, changed: ChangedRows): Rows {
  if (isAll(rows, changed)) return present(changed).rows;
  const turned: Record<string, Row> = noRows();
  for (const key in rows) {
    const own = changed.rows[key];
    const row = own === undefined ? rows[key] : own;
    if (row !== undefined && row !== null) turned[key] = row;
  }
  for (const key of changed.keys) {
    const row = changed.rows[key];
    if (row !== undefined && row !== null) turned[key] = row;
  }
  return turned;
}

/** True when no row is dropped and none is left as it was: in a table of one row nearly always. */
function isAll(rows: Rows, changed: ChangedRows): boolean {
  for (const key in rows) if (changed.rows[key] === undefined) return false;
  for (const key of changed.keys) if (changed.rows[key] === null) return false;
  return true;
}

/** Changed rows of a page, where none is ever dropped. */
function present(changed: ChangedRows): KeyedRows {
  return changed as KeyedRows;
}

function differs(rows: Rows, changed: ChangedRows): boolean {
  for (const key of changed.keys) if (!sameVisibly(rows[key], changed.rows[key] ?? undefined)) return true;
  return false;
}
