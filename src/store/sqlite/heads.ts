import type { Page, PageRef } from "../../customer/customer.ts";
import type { Sqlite } from "../../embedded/database.ts";
import { Lately } from "../lately.ts";

/** What a page's header says. A page that is not stored has revision 0. */
export type Header = Pick<Page, "revision" | "liveRows" | "totals">;

/**
 * Revisions of customers and headers of pages as they are stored, known from having loaded or saved them: a document that is
 * saved again and again is not looked up each time. Saves are counted in the file, so that another connection's are noticed.
 */
export interface Heads {
  /**
   * First in every transaction that asks: forgets what is no longer sure, because somebody else has saved since,
   * and answers true then.
   */
  enter(): boolean;
  /** In a transaction that saves: others will notice. */
  saving(): void;
  revision(customerId: string): number | undefined;
  setRevision(customerId: string, revision: number): void;
  header(page: PageRef): Header | undefined;
  setHeader(page: PageRef, header: Header): void;
  /** Forgets everything, because a transaction was undone. */
  forget(): void;
}

/** Customers, and pages, that are known at least. */
const KNOWN = 20_000;

/** What this connection knows of what is stored. */
export function sqliteHeads(db: Sqlite): Heads {
  const revisions = new Lately<number>(KNOWN);
  const headers = new Lately<Header>(KNOWN);
  const nameOf = ({ customerId, table, page }: PageRef): string => `${table}\n${page}\n${customerId}`;
  let seen = -1;
  const forget = (): void => {
    revisions.clear();
    headers.clear();
    seen = -1;
  };
  return {
    enter() {
      const saves = db.prepare("SELECT count FROM saves").get<[number]>()?.[0] ?? 0;
      if (saves === seen) return false;
      forget();
      seen = saves;
      return true;
    },
    saving() {
      db.prepare("UPDATE saves SET count = count + 1").run();
      seen += 1;
    },
    revision: (customerId) => revisions.get(customerId),
    setRevision: (customerId, revision) => revisions.set(customerId, revision),
    header: (page) => headers.get(nameOf(page)),
    setHeader: (page, { revision, liveRows, totals }) =>
      headers.set(nameOf(page), { revision, liveRows, totals }),
    forget,
  };
}
