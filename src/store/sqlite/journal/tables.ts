import type { Customer } from "../../../customer/customer.ts";
import type { Plan } from "../../../customer/plan.ts";
import { factsOf, findFact } from "../../facts.ts";
import type { FindFact } from "../../facts.ts";
import { soughtTables, unplacedTables } from "../../placed-tables.ts";
import type { CustomerSave } from "../../store.ts";
import { everyDocument, sqliteDocuments } from "../customers.ts";
import type { Documents } from "../customers.ts";
import type { Sqlite } from "../../../embedded/database.ts";
import { forgetBodies } from "../../document-text.ts";
import { sqliteFacts } from "../facts.ts";
import type { Listable } from "../facts.ts";
import { sqliteHeads } from "../heads.ts";
import { sqliteJournal } from "./journal.ts";
import { sqlitePages } from "../pages.ts";
import type { Pages } from "../pages.ts";
import { Pending, stepOf } from "./pending.ts";

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

const MOST = 32_768;

const MOST_BYTES = 48_000_000;

/** The tables of a database file. */
export function sqliteTables(db: Sqlite, plan: Plan): Tables {
  const heads = sqliteHeads(db);
  const journal = sqliteJournal(db);
  const pending = new Pending({ sought: soughtTables(plan), unplaced: unplacedTables(plan) });
  const documents = sqliteDocuments(db, { plan, heads, pending });
  const pages = sqlitePages(db, { plan, heads, pending });
  const groups = factsOf(plan);

  const stored = (ids: readonly string[]): ReadonlyMap<string, Customer> => documents.load(ids, pages.notes);

  const enter = (): void => {
    if (!heads.enter()) return;
    pending.clear();
    journal.replay(stored, (step) => pending.take(step, null));
  };

  const within: Tables["within"] = (mode, work) => {
    try {
      return db.transaction(mode, () => {
        enter();
        return work();
      });
    } catch (error) {
      heads.forget();
      throw error;
    }
  };

  /** Writes everything pending but its facts; the journal is emptied first, so that its pages of the file are written over. */
  const writeDocuments = (): void => {
    const all = pending.inOrder();
    journal.empty();
    documents.write(all);
    pages.write(all);
    pending.clear();
  };

  /** Everyone there is, for facts that are made anew. */
  function* everyone(): Iterable<Listable> {
    enter();
    const listed = new Set<string>();
    for (const { after, isListed } of pending.inOrder()) if (isListed) listed.add(after.customerId);
    if (pending.size > 0) {
      heads.saving();
      writeDocuments();
    }
    for (const customer of everyDocument(db, pages.notes))
      yield { customer, isListed: listed.has(customer.customerId) };
  }
  const facts = sqliteFacts(db, groups, everyone);

  const write = (): void => {
    facts.discard();
    for (const { before, after, isListed } of pending.inOrder())
      if (after !== before) facts.change(before, after, isListed);
    writeDocuments();
    facts.settle();
  };

  const settle = (): void => {
    within("read", () => {});
    if (pending.size === 0) return;
    within("write", () => {
      heads.saving();
      write();
    });
  };

  let seen = -1;
  let saves = 0;
  return {
    documents,
    pages,
    pending,
    find: findFact(groups),
    within,
    save(parts, atOnce) {
      forgetBodies();
      const steps = parts.map(stepOf);
      const text = journal.text(steps);
      let size = 0;
      for (const step of steps) {
        pending.take(step, text);
        size += 1;
        for (const { rows } of step.pages) size += rows.length;
      }
      if (steps.length > 0) saves += 1;
      const toWrite = atOnce ? pending.size > 0 : steps.length > 0;
      if (!toWrite) return;
      heads.saving();
      const most = Math.min(MOST, Math.max(LEAST, BATCHES * size));
      if (atOnce || pending.size >= most || journal.bytes + text.length >= MOST_BYTES) write();
      else journal.append(text);
    },
    settle,
    lookAfter(nowMs) {
      within("read", () => {});
      if (pending.size > 0 && (saves === seen || pending.isOutstanding(nowMs))) settle();
      seen = saves;
    },
  };
}
