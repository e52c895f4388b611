import type { Plan } from "../../customer/plan.ts";
import type { Sqlite } from "../../embedded/database.ts";
import { forgetBodies } from "../document-text.ts";
import { factsOf, findFact } from "../facts.ts";
import type { FindFact } from "../facts.ts";
import { soughtTables, unplacedTables } from "../placed-tables.ts";
import type { CustomerSave } from "../store.ts";
import { everyDocument, sqliteDocuments } from "./customers.ts";
import type { Documents } from "./customers.ts";
import { sqliteFacts } from "./facts.ts";
import type { FactTable, Listable } from "./facts.ts";
import { sqliteHeads, type Heads } from "./heads.ts";
import { sqliteJournal, type Journal } from "./journal/journal.ts";
import { Pending, stepOf } from "./journal/pending.ts";
import { sqlitePages } from "./pages.ts";
import type { Pages } from "./pages.ts";

/**
 * The tables of customers, with the journal before them.
 *
 * A save is written into the journal and kept in memory as pending; the tables take what is pending when there is enough of it,
 * when nothing more comes, or when somebody asks what only they can tell. Journal and tables change in one transaction each, so
 * whoever opens the file, or another connection to it, finds in the journal exactly what the tables have not got.
 */
export interface Tables {
  readonly documents: Documents;
  readonly pages: Pages;
  readonly pending: Pending;
  readonly find: FindFact;
  /** A transaction that knows what is pending, and what was last seen of the heads, and forgets both when it is undone. */
  within<T>(mode: "read" | "write", work: () => T): T;
  /** Saves what is without conflict; at once into the tables if that is wanted. Inside a transaction. */
  save(parts: readonly CustomerSave[], atOnce: boolean): void;
  /** Brings the tables up to date. */
  settle(): void;
  /** The same when something pending is due or left to the relay, or when nothing was saved since the last look. */
  lookAfter(nowMs: number): void;
}

/** Little is always kept together: what it takes to write it at once is not worth a reader's wait. */
const LEAST = 512;

/** A batch may be held up for as long as a few such batches take, not longer. */
const BATCHES = 16;

/** More customers and rows than this, or a longer journal, are never kept. */
const MOST = 32_768;
const MOST_BYTES = 48_000_000;

/** The tables of a database file. */
export function sqliteTables(db: Sqlite, plan: Plan): Tables {
  return new JournalledTables(db, plan);
}

class JournalledTables implements Tables {
  readonly documents: Documents;
  readonly pages: Pages;
  readonly pending: Pending;
  readonly find: FindFact;
  readonly #db: Sqlite;
  readonly #heads: Heads;
  readonly #journal: Journal;
  readonly #facts: FactTable;
  #saves = 0;
  /** How many saves there were at the last look. */
  #seen = -1;

  constructor(db: Sqlite, plan: Plan) {
    const groups = factsOf(plan);
    this.#db = db;
    this.#heads = sqliteHeads(db);
    this.#journal = sqliteJournal(db);
    this.pending = new Pending({ sought: soughtTables(plan), unplaced: unplacedTables(plan) });
    const parts = { plan, heads: this.#heads, pending: this.pending };
    this.documents = sqliteDocuments(db, parts);
    this.pages = sqlitePages(db, parts);
    this.find = findFact(groups);
    // Last: when facts have to be made anew, it asks for everyone.
    this.#facts = sqliteFacts(db, groups, () => this.#everyone());
  }

  within<T>(mode: "read" | "write", work: () => T): T {
    try {
      return this.#db.transaction(mode, () => {
        this.#enter();
        return work();
      });
    } catch (error) {
      this.#heads.forget();
      throw error;
    }
  }

  save(parts: readonly CustomerSave[], atOnce: boolean): void {
    forgetBodies();
    const steps = parts.map(stepOf);
    const text = this.#journal.text(steps);
    let size = 0;
    for (const step of steps) {
      this.pending.take(step, text);
      size += 1;
      for (const { rows } of step.pages) size += rows.length;
    }
    if (steps.length > 0) this.#saves += 1;
    const toWrite = atOnce ? this.pending.size > 0 : steps.length > 0;
    if (!toWrite) return;
    this.#heads.saving();
    const most = Math.min(MOST, Math.max(LEAST, BATCHES * size));
    const isFull = this.pending.size >= most || this.#journal.bytes + text.length >= MOST_BYTES;
    if (atOnce || isFull) this.#write();
    else this.#journal.append(text);
  }

  settle(): void {
    this.within("read", () => {});
    if (this.pending.size === 0) return;
    this.within("write", () => {
      this.#heads.saving();
      this.#write();
    });
  }

  lookAfter(nowMs: number): void {
    this.within("read", () => {});
    if (this.pending.size > 0 && (this.#saves === this.#seen || this.pending.isOutstanding(nowMs)))
      this.settle();
    this.#seen = this.#saves;
  }

  /** Reads again what is pending, if another connection has saved. */
  #enter(): void {
    if (!this.#heads.enter()) return;
    this.pending.clear();
    const stored = (ids: readonly string[]) => this.documents.load(ids, this.pages.notes);
    this.#journal.replay(stored, (step) => this.pending.take(step, null));
  }

  /** Writes everything pending. */
  #write(): void {
    this.#facts.discard();
    for (const { before, after, isListed } of this.pending.inOrder())
      if (after !== before) this.#facts.change(before, after, isListed);
    this.#writeDocuments();
    this.#facts.settle();
  }

  /** Writes everything pending but its facts; the journal is emptied first, so that its pages of the file are written over. */
  #writeDocuments(): void {
    const all = this.pending.inOrder();
    this.#journal.empty();
    this.documents.write(all);
    this.pages.write(all);
    this.pending.clear();
  }

  /** Everyone there is, for facts that are made anew. */
  *#everyone(): Iterable<Listable> {
    this.#enter();
    const listed = new Set<string>();
    for (const { after, isListed } of this.pending.inOrder()) if (isListed) listed.add(after.customerId);
    if (this.pending.size > 0) {
      this.#heads.saving();
      this.#writeDocuments();
    }
    for (const customer of everyDocument(this.#db, this.pages.notes))
      yield { customer, isListed: listed.has(customer.customerId) };
  }
}
