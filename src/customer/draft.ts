import type { Change, Position, Verdict } from "../cdc/change.ts";
import type { Judged, PageChange } from "./applied.ts";
import type { Customer, Page, Row, Rows } from "./customer.ts";
import { fold, sameVisibly } from "./fold.ts";
import type { TableLookup } from "./lookup.ts";
import { type Notes, notePage, turnPage } from "./page.ts";
import { above } from "./parts.ts";

/** Rows of one inline table or of one page, with what this batch made of them. Undefined stands for a row dropped from store. */
interface Holder {
  readonly table: TableLookup;
  readonly page: Page | null;
  readonly rows: Rows;
  readonly changed: ChangedRows;
  /** The keys of `changed`: walking over an object without a prototype is slow. */
  readonly keys: string[];
}

/**
 * Without a prototype: an object literal keyed by row keys would make the engine learn a new shape for every key it meets,
 * which costs more than everything else that is done with a row.
 */
type ChangedRows = Record<string, Row | undefined>;

function noRows(): Record<string, never> {
  return Object.create(null);
}

/** The rows of a customer while a batch is folded into them. */
export interface Draft {
  readonly customer: Customer;
  readonly tables: ReadonlyMap<string, TableLookup>;
  readonly pages: readonly Page[];
  readonly holders: Holder[];
  /** Pages a truncate concerns that are not loaded whole. */
  readonly missing: Page[];
  truncates: Readonly<Record<string, Position>>;
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
  const turned: PageChange[] = [];
  const pagedTables: string[] = [];
  const needsWhole = missing;
  for (const holder of holders) {
    const { page, table } = holder;
    if (holder.keys.length === 0) continue;
    if (page === null) {
      tables = { ...tables, [table.table.name]: turnRows(holder) };
      continue;
    }
    const next = turnPage(page, { rows: present(holder), keys: holder.keys }, table.metrics);
    if (next === null) needsWhole.push(page);
    else turned.push(next);
    if (differs(holder)) name(pagedTables, page.table);
  }
  for (const page of pages) {
    const after = turned.find(({ before }) => before === page)?.after ?? page;
    const noted = kept;
    kept = notePage(kept, after, lookups.get(page.table)?.metrics ?? []);
    const isAhead = page.revision > (customer.notes[page.table]?.[page.page]?.revision ?? 0);
    if (kept !== noted && isAhead) name(pagedTables, page.table);
  }
  return { tables, notes: kept.notes, totals: kept.totals, pages: turned, pagedTables, needsWhole };
}

function name(names: string[], added: string): void {
  if (!names.includes(added)) names.push(added);
}

function holderOf(draft: Draft, change: Change, table: TableLookup): Holder {
  const page = table.paged ? pageOf(draft, change) : null;
  for (const holder of draft.holders) if (holder.table === table && holder.page === page) return holder;
  return addHolder(draft, table, page);
}

function addHolder({ customer, holders }: Draft, table: TableLookup, page: Page | null): Holder {
  const rows = page === null ? (customer.tables[table.table.name] ?? {}) : page.rows;
  const holder: Holder = { table, page, rows, changed: noRows(), keys: [] };
  holders.push(holder);
  return holder;
}

function pageOf({ pages }: Draft, change: Change): Page {
  for (const page of pages) if (page.page === change.page && page.table === change.table) return page;
  throw new Error(`page ${change.page ?? "null"} of ${change.table} was not loaded`);
}

function rowIn({ rows, changed, keys }: Holder, key: string): Row | undefined {
  return keys.length > 0 && key in changed ? changed[key] : rows[key];
}

/** A page cannot forget a row, so there a dropped one stays as a dead one below the watermark, which nothing looks at again. */
function put(holder: Holder, key: string, row: Row | undefined): void {
  const { page, changed, keys } = holder;
  const old = rowIn(holder, key);
  let kept = row;
  if (row === undefined && page !== null) {
    if (old?.live !== true) return;
    kept = { at: old.at, live: false, values: {}, origin: old.origin };
  }
  if (keys.length === 0 || !(key in changed)) keys.push(key);
  changed[key] = kept;
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
  if (table.paged) draft.missing.push(...notWhole(draft, tableName));
  return swept ? "applied" : "duplicate";
}

/** Takes everything below a truncate out of a holder; true when something was there. */
function sweep(holder: Holder, watermark: Position): boolean {
  let swept = false;
  for (const key of new Set([...Object.keys(holder.rows), ...holder.keys])) {
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

function turnRows({ rows, changed, keys }: Holder): Rows {
  const turned: Record<string, Row> = noRows();
  for (const key in rows) {
    const row = key in changed ? changed[key] : rows[key];
    if (row !== undefined) turned[key] = row;
  }
  for (const key of keys) {
    const row = changed[key];
    if (row !== undefined && !(key in rows)) turned[key] = row;
  }
  return turned;
}

/** Changed rows of a page, where none is ever dropped. */
function present({ changed }: Holder): Rows {
  return changed as Rows;
}

function differs({ rows, changed, keys }: Holder): boolean {
  return keys.some((key) => !sameVisibly(rows[key], changed[key]));
}
