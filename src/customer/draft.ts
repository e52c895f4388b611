import type { Change, Position, Verdict } from "../cdc/change.ts";
import type { PageChange } from "./apply.ts";
import type { Customer, Page, Row, Rows } from "./customer.ts";
import { fold, sameVisibly } from "./fold.ts";
import { type Notes, notePage, turnPage } from "./page.ts";
import { above } from "./parts.ts";
import { tableOf } from "./lookup.ts";
import type { Plan } from "./plan.ts";

/** Rows of one inline table or of one page, with what this batch made of them. Undefined stands for a row dropped from store. */
interface Holder {
  readonly page: Page | null;
  readonly rows: Rows;
  readonly changed: Map<string, Row | undefined>;
}

/** The rows of a customer while a batch is folded into them. */
export interface Draft {
  /** Folds one change; the verdict on it, and whether another content claims its position. */
  take(change: Change): { readonly verdict: Verdict; readonly conflict: boolean };
  /** What the batch made of the rows. */
  finish(): DraftedRows;
}

/** What a batch made of a customer's rows. Every part that did not change is the very same object as before. */
export interface DraftedRows extends Notes {
  readonly tables: Customer["tables"];
  readonly pages: readonly PageChange[];
  /** Paged tables whose rows differ visibly from what was announced. */
  readonly pagedTables: ReadonlySet<string>;
  readonly needsWhole: readonly Page[];
}

/** What a draft starts from. */
export interface DraftInput {
  readonly customer: Customer;
  readonly pages: readonly Page[];
  readonly truncates: Readonly<Record<string, Position>>;
}

/** Begins to fold a batch into a customer's rows. */
export function draft(input: DraftInput, plan: Plan): Draft {
  const { customer, pages } = input;
  const watermarks: Record<string, Position> = { ...input.truncates };
  const inline = new Map<string, Holder>();
  const paged: Holder[] = pages.map((page) => ({ page, rows: page.rows, changed: new Map() }));
  const missing: Page[] = [];

  const inlineHolder = (table: string): Holder => {
    let holder = inline.get(table);
    if (holder === undefined) {
      holder = { page: null, rows: customer.tables[table] ?? {}, changed: new Map() };
      inline.set(table, holder);
    }
    return holder;
  };

  const holderOf = ({ table, page }: Change): Holder => {
    if (!tableOf(plan, table).paged) return inlineHolder(table);
    const found = paged.find((holder) => holder.page?.table === table && holder.page.page === page);
    if (found === undefined) throw new Error(`page ${page ?? "null"} of ${table} was not loaded`);
    return found;
  };

  const truncate = ({ table, position }: Change): Verdict => {
    const watermark = watermarks[table];
    if (watermark !== undefined && position < watermark) return "late";
    watermarks[table] = position;
    const isPaged = tableOf(plan, table).paged;
    const holders = isPaged ? paged.filter(({ page }) => page?.table === table) : [inlineHolder(table)];
    const swept = holders.map((holder) => sweep(holder, position)).includes(true);
    if (isPaged) missing.push(...notWhole(customer, table, holders));
    return swept ? "applied" : "duplicate";
  };

  return {
    take: (change) => {
      if (change.op === "truncate") return { verdict: truncate(change), conflict: false };
      const holder = holderOf(change);
      const stored = rowIn(holder, change.key);
      const { row, verdict, conflict } = fold(stored, change, watermarks[change.table]);
      if (row !== stored) put(holder, change.key, row);
      return { verdict, conflict };
    },
    finish: () => {
      const tables = finishTables(customer, inline);
      return { tables, ...finishPages(customer, { paged, missing }, plan) };
    },
  };
}

function rowIn({ rows, changed }: Holder, key: string): Row | undefined {
  return changed.has(key) ? changed.get(key) : rows[key];
}

/** A page cannot forget a row, so there a dropped one stays as a dead one below the watermark, which nothing looks at again. */
function put({ page, rows, changed }: Holder, key: string, row: Row | undefined): void {
  const old = changed.get(key) ?? rows[key];
  if (row !== undefined || page === null || old === undefined) changed.set(key, row);
  else if (old.live) changed.set(key, { at: old.at, live: false, values: {}, origin: old.origin });
}

/** Takes everything below a truncate out of a holder; true when something was. */
function sweep(holder: Holder, watermark: Position): boolean {
  let swept = false;
  for (const key of new Set([...Object.keys(holder.rows), ...holder.changed.keys()])) {
    const row = rowIn(holder, key);
    const rest = row === undefined ? undefined : above(row, watermark);
    if (rest === row) continue;
    put(holder, key, rest);
    swept ||= row?.live === true;
  }
  return swept;
}

/** The pages of a table that a truncate concerns and that are not at hand whole. */
function notWhole({ customerId, notes }: Customer, table: string, holders: readonly Holder[]): Page[] {
  const loaded = new Map(holders.flatMap(({ page }) => (page === null ? [] : [[page.page, page]])));
  const unknown = { revision: 0, totals: {}, liveRows: 0, rows: {}, whole: false };
  const noted = Object.keys(notes[table] ?? {}).filter((page) => !loaded.has(page));
  return [
    ...[...loaded.values()].filter(({ whole, revision }) => !whole && revision > 0),
    ...noted.map((page) => ({ customerId, table, page, ...unknown })),
  ];
}

function finishTables({ tables }: Customer, inline: ReadonlyMap<string, Holder>): Customer["tables"] {
  let next = tables;
  for (const [table, { rows, changed }] of inline) {
    if (changed.size === 0) continue;
    const turned: Record<string, Row> = { ...rows };
    for (const [key, row] of changed) {
      if (row === undefined) delete turned[key];
      else turned[key] = row;
    }
    next = { ...next, [table]: turned };
  }
  return next;
}

function finishPages(
  customer: Customer,
  { paged, missing }: { readonly paged: readonly Holder[]; readonly missing: readonly Page[] },
  plan: Plan,
): Omit<DraftedRows, "tables"> {
  let kept: Notes = { notes: customer.notes, totals: customer.totals };
  const pages: PageChange[] = [];
  const pagedTables = new Set<string>();
  const needsWhole = [...missing];
  for (const { page, rows, changed } of paged) {
    if (page === null) continue;
    const lookup = tableOf(plan, page.table);
    const noted = customer.notes[page.table]?.[page.page]?.revision ?? 0;
    const turned = changed.size === 0 ? null : turnPage(page, rowsOf(changed), lookup.metrics);
    if (changed.size > 0 && turned === null) needsWhole.push(page);
    if (turned !== null) pages.push(turned);
    kept = notePage(kept, turned?.after ?? page, lookup.metrics);
    if (page.revision > noted || differs(rows, changed)) pagedTables.add(page.table);
  }
  return { ...kept, pages, pagedTables, needsWhole };
}

function rowsOf(changed: Holder["changed"]): Map<string, Row> {
  const rows = new Map<string, Row>();
  for (const [key, row] of changed) if (row !== undefined) rows.set(key, row);
  return rows;
}

function differs(rows: Rows, changed: Holder["changed"]): boolean {
  for (const [key, row] of changed) if (!sameVisibly(rows[key], row)) return true;
  return false;
}
