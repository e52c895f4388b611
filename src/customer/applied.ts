import type { Change, Position, Verdict } from "../cdc/change.ts";
import type { Customer, Page, Rows } from "./customer.ts";

/** What a page of a customer became: its next revision with the rows to write. */
export interface PageChange {
  readonly before: Page;
  readonly after: Page;
  /** The rows that differ, to be written; nothing else of the page needs rewriting. */
  readonly rows: Rows;
}

/** The verdict on one change. */
export interface Judged {
  readonly change: Change;
  readonly verdict: Verdict;
  /** True when another content was found at exactly the same position. */
  readonly conflict: boolean;
}

/** Everything `apply` may look at. */
export interface ApplyInput {
  readonly customer: Customer;
  /** The pages its changes concern, each loaded with at least the keys of those changes. */
  readonly pages: readonly Page[];
  /** Changes routed to this customer, in arrival order. */
  readonly changes: readonly Change[];
  /** Truncate watermarks by table. */
  readonly truncates: Readonly<Record<string, Position>>;
  readonly nowMs: number;
}

/** What came of it. `customer` is the very same object when nothing stored changed. */
export interface Applied {
  readonly customer: Customer;
  readonly pages: readonly PageChange[];
  readonly judged: readonly Judged[];
  /**
   * Pages that have to be loaded whole before totals can be kept exactly; when not empty the rest is meaningless:
   * load and apply again.
   */
  readonly needsWhole: readonly Page[];
}
