import type { PageChange } from "../../../customer/applied.ts";
import type { Customer, PageRef, Row, Rows } from "../../../customer/customer.ts";
import { hasLiveRow } from "../../../customer/live-rows.ts";
import { totalsText } from "../../document-text.ts";
import type { CustomerSave, Place } from "../../store.ts";
import type { Header } from "../heads.ts";
import { PendingRows } from "./pending-rows.ts";
import type { PendingRow } from "./pending-rows.ts";

/** A page the journal holds in a newer version than the tables. */
export interface PendingPage extends PageRef {
  header: Header;
  /** Its totals as JSON. */
  totals: string;
  /** Its rows that differ from those in the tables. */
  readonly rows: PendingRow[];
}

/** One customer's saves that are in the journal and not in the tables yet, as one. */
export interface PendingCustomer {
  /** The version in the tables. */
  readonly before: Customer;
  /** The newest version; the very same object when only pages were saved. */
  after: Customer;
  /** The journal's text with the body of the newest version; null when that has to be made. */
  text: Uint8Array | null;
  /** Where in that text the body is. */
  from: number;
  to: number;
  /** The revision left to the relay, if any was. */
  relay: number | null;
  /** True when a version in between held a live row: who did once stays listed. */
  isListed: boolean;
  readonly pages: PendingPage[];
}

/** What a save makes of a page, and of those of its rows that it changes: null for one that is gone. */
export interface PageStep extends PageRef {
  readonly header: Header;
  /** Its totals as JSON. */
  readonly totals: string;
  readonly rows: readonly Pick<PendingRow, "key" | "row" | "text">[];
}

/** One customer's part of a save on its way into the journal. */
export interface Step {
  readonly before: Customer;
  /** The same object when only pages are saved. */
  readonly after: Customer;
  readonly relay: boolean;
  readonly pages: readonly PageStep[];
  /** Where in the journal's text its body is; 0 before it is written, or when there is none. */
  from: number;
  to: number;
}

/** A customer's part of a save as the journal takes it. */
export function stepOf({ before, after, relay, pages }: CustomerSave): Step {
  return { before, after, relay, pages: pages.length === 0 ? NO_PAGES : pages.map(pageStep), from: 0, to: 0 };
}

const NO_PAGES: readonly PageStep[] = [];

/** What a page's change comes to. */
function pageStep({ before, after, rows: changed }: PageChange): PageStep {
  const { customerId, table, page, revision, liveRows, totals } = after;
  const rows: { key: string; row: Row | null; text: string }[] = [];
  for (const key in changed) {
    const row = changed[key];
    if (row !== undefined) rows.push({ key, row, text: JSON.stringify(row) });
  }
  for (const key in before.rows) if (after.rows[key] === undefined) rows.push({ key, row: null, text: "" });
  const header = { revision, liveRows, totals };
  return { customerId, table, page, header, totals: totalsText(totals), rows };
}

/** Changes that are saved, in the journal, and not in the tables yet. What is asked for here first need not be looked up there. */
export class Pending {
  readonly #sought: ReadonlySet<string>;
  readonly #unplaced: ReadonlySet<string>;
  readonly #customers = new Map<string, PendingCustomer>();
  readonly #rows = new PendingRows();

  /** `sought`: inline tables whose rows have places; `unplaced`: paged ones whose rows have none. */
  constructor(of: { readonly sought: ReadonlySet<string>; readonly unplaced: ReadonlySet<string> }) {
    this.#sought = of.sought;
    this.#unplaced = of.unplaced;
  }

  /** How many customers and rows there are. */
  get size(): number {
    return this.#customers.size + this.#rows.count;
  }

  /** All of them, in the order of the tables: what lies side by side there is written one behind the other. */
  inOrder(): readonly PendingCustomer[] {
    return [...this.#customers.values()].sort((a, b) => (a.before.customerId < b.before.customerId ? -1 : 1));
  }

  /** True when one of them has something to do that no record will trigger. */
  isOutstanding(nowMs: number): boolean {
    for (const { before, after, relay } of this.#customers.values())
      if (relay !== null || isDue(before, nowMs) || isDue(after, nowMs)) return true;
    return false;
  }

  /** The newest document of a customer; undefined when it is in the tables. */
  document(customerId: string): Customer | undefined {
    const found = this.#customers.get(customerId);
    return found === undefined || found.after === found.before ? undefined : found.after;
  }

  /** The newest version of a page; undefined when it is in the tables. */
  page(ref: PageRef): PendingPage | undefined {
    const found = this.#customers.get(ref.customerId);
    return found === undefined ? undefined : pageOf(found, ref);
  }

  /** The newest version of a row of a page; undefined when it is in the tables. */
  row(ref: PageRef, key: string): PendingRow | undefined {
    return this.#rows.find(ref, key);
  }

  /** Brings the places of a key, as the tables tell them, up to date. */
  places(table: string, key: string, stored: readonly Place[]): readonly Place[] {
    const first = this.#rows.first(table, key);
    if (first === undefined || this.#unplaced.has(table)) return stored;
    const places = stored.filter((place) => this.#rows.find(place, key) === undefined);
    for (let pending: PendingRow | null = first; pending !== null; pending = pending.next) {
      const { customerId, page, row } = pending;
      if (row !== null) places.push({ table, key, customerId, page, at: row.at, live: row.live });
    }
    return places;
  }

  /**
   * Takes a part of a save that was found to be computed from the newest version;
   * `text` is what the journal has of it, if known.
   */
  take({ before, after, relay, pages, from, to }: Step, text: Uint8Array | null): void {
    const entry = this.#entry(before);
    if (after !== before) {
      if (before.tables !== after.tables) this.#movePlaces(before, after);
      entry.after = after;
      entry.text = text;
      entry.from = from;
      entry.to = to;
      if (relay) entry.relay = after.revision;
      if (!entry.isListed) entry.isListed = hasLiveRow(after);
    }
    for (const page of pages) this.#takePage(entry, page);
  }

  /** Forgets all. */
  clear(): void {
    this.#customers.clear();
    this.#rows.clear();
  }

  #entry(before: Customer): PendingCustomer {
    const { customerId } = before;
    let entry = this.#customers.get(customerId);
    if (entry === undefined) {
      const none = { text: null, from: 0, to: 0, relay: null, isListed: false };
      entry = { before, after: before, ...none, pages: [] };
      this.#customers.set(customerId, entry);
    }
    return entry;
  }

  #takePage(customer: PendingCustomer, step: PageStep): void {
    const { customerId, table, page, header, totals } = step;
    let entry = pageOf(customer, step);
    if (entry === undefined) {
      entry = { customerId, table, page, header, totals, rows: [] };
      customer.pages.push(entry);
    } else {
      entry.header = header;
      entry.totals = totals;
    }
    for (const each of step.rows) {
      const made = this.#rows.put(step, each);
      if (made !== null) entry.rows.push(made);
    }
  }

  #movePlaces(before: Customer, after: Customer): void {
    const { customerId } = after;
    for (const table of this.#sought) {
      const old: Rows = before.tables[table] ?? {};
      const now: Rows = after.tables[table] ?? {};
      if (old === now) continue;
      const holder = { customerId, table, page: null };
      for (const key in now) {
        const row = now[key];
        if (row !== undefined && row !== old[key]) this.#rows.put(holder, { key, row, text: "" });
      }
      for (const key in old) if (now[key] === undefined) this.#rows.put(holder, { key, row: null, text: "" });
    }
  }
}

/** Customers have few pages that are pending at once. */
function pageOf({ pages }: PendingCustomer, { table, page }: PageRef): PendingPage | undefined {
  for (const each of pages) if (each.page === page && each.table === table) return each;
  return undefined;
}

function isDue({ dueMs }: Customer, nowMs: number): boolean {
  return dueMs !== null && dueMs <= nowMs;
}
