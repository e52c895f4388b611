import type { Position, Refusal, SourceRecord } from "../cdc/change.ts";
import type { PageChange } from "../customer/applied.ts";
import type { Customer, Page, PageRef } from "../customer/customer.ts";
import type { Checkpoint } from "../ingest/source.ts";

/** Asks for a page with the rows of some keys, or with all its rows. */
export interface PageRequest extends PageRef {
  readonly keys: readonly string[] | "all";
}

/** Where a row key is held. Derived from documents and pages, so it is never ahead of or behind them. */
export interface Place {
  readonly table: string;
  readonly key: string;
  readonly customerId: string;
  readonly page: string | null;
  readonly at: Position;
  readonly live: boolean;
}

/** What a batch needs. Everything is read at one moment where the store can, and never older than this process's own saves. */
export interface LoadRequest {
  readonly customers: readonly string[];
  readonly pages: readonly PageRequest[];
  /** Row keys to find, by table. */
  readonly keys: Readonly<Record<string, readonly string[]>>;
}

/** The answer. Customers and pages that do not exist yet come as new ones (revision 0), so every request has its answer. */
export interface Loaded {
  readonly customers: ReadonlyMap<string, Customer>;
  readonly pages: readonly Page[];
  readonly places: readonly Place[];
  /** Truncate watermarks by table. */
  readonly truncates: Readonly<Record<string, Position>>;
}

/** The document of a customer that was asked for. */
export function customerIn({ customers }: Pick<Loaded, "customers">, customerId: string): Customer {
  const found = customers.get(customerId);
  if (found === undefined) throw new Error("the store left out a customer it was asked for");
  return found;
}

/**
 * One customer's part of a save: its pages first, then the document with its outbox,
 * each only on the revision it was computed from.
 */
export interface CustomerSave {
  /** The version it was computed from; the store compares its revision. */
  readonly before: Customer;
  /** The version to store, or the same object when only pages changed. */
  readonly after: Customer;
  readonly pages: readonly PageChange[];
  /**
   * True when no redelivery stands behind this save (a timer, a truncate, a changed pipeline file, a stream that is away): the
   * relay must publish and confirm it. What was saved without can be marked afterwards: saved once more as it is, on the same
   * revision.
   */
  readonly relay: boolean;
}

/** A record put aside, with all that is needed to repair and replay it. */
export interface Quarantined {
  readonly record: SourceRecord;
  readonly table: string | null;
  readonly refusal: Refusal;
  readonly atMs: number;
}

/** Counters to add: kind such as `verdict`, label such as `applied`, per table. */
export interface Tally {
  readonly table: string;
  readonly kind: "verdict" | "conflict" | "skip" | "rule";
  /** The verdict, the skip, or for rules `action:name`. */
  readonly label: string;
  readonly count: number;
}

/** One write to the store. */
export interface Save {
  readonly customers: readonly CustomerSave[];
  readonly quarantine: readonly Quarantined[];
  /** Acknowledged prefixes: stored with the data, and only ever of batches whose updates were published or left to the relay. */
  readonly checkpoints: readonly Checkpoint[];
  readonly truncates: Readonly<Record<string, Position>>;
  readonly tallies: readonly Tally[];
  /**
   * Announcements now known to be published: everything of that customer up to this revision leaves its outbox.
   * Does not touch the revision.
   */
  readonly confirms: readonly { readonly customerId: string; readonly revision: number }[];
}

/** Which customers were not saved. The others were. */
export interface Saved {
  /** Because they or one of their pages changed since they were loaded. */
  readonly conflicts: ReadonlySet<string>;
  /** Because they or one of their pages would become larger than what the store keeps in one, with that reason; absent for none. */
  readonly refused?: ReadonlyMap<string, string>;
}

/** Customers with something to do that no record will trigger. */
export interface Outstanding {
  /** Their `dueMs` has passed. */
  readonly due: readonly string[];
  /** Saved with `relay` and not confirmed. */
  readonly unpublished: readonly string[];
}

/**
 * PORT. Where customers live, for the path of a change. Promises, held by `test/contract/store.contract.ts`:
 * - a customer or page is saved only on the revision it was computed from; a conflict is an answer, not an exception;
 * - a customer's pages are saved before its document; a crash in between leaves pages ahead, never behind;
 * - the outbox is part of the document: saved with it or not at all;
 * - a load sees every earlier save of this process; quarantine is idempotent by coordinates, code, key and value;
 * - checkpoints and truncate watermarks never go backwards.
 */
export interface Store {
  /** True when other processes may save into it too: then what they did meanwhile is looked at before a batch is acknowledged. */
  readonly shared: boolean;
  /** What all processes that share the store agree on under a name: the first proposal that was made, for good. */
  agreed(name: string, proposal: string): Promise<string>;
  load(request: LoadRequest): Promise<Loaded>;
  save(save: Save): Promise<Saved>;
  /** Checkpoints as last saved. */
  checkpoints(): Promise<readonly Checkpoint[]>;
  outstanding(nowMs: number, limit: number): Promise<Outstanding>;
  /**
   * Customers (NOBODY included) holding live rows of a table, in id order after the given id; for truncates. A customer whose
   * notes still count live rows that its pages no longer have (a crash came between the two) holds them too.
   */
  holders(table: string, after: string | null, limit: number): Promise<readonly string[]>;
  close(): Promise<void>;
}

/** PORT, beside the Store. What it takes to derive everybody anew; promises held by `test/ingest/rederive.test.ts`. */
export interface Everyone {
  /** The text last noted of what documents are derived under; null when none was. */
  derivation(): Promise<string | null>;
  noteDerivation(text: string): Promise<void>;
  /** Everybody who has a document, NOBODY included, in id order after the given id. */
  everyone(after: string | null, limit: number): Promise<readonly string[]>;
  /** Every page of these customers, noted or not. */
  pagesOf(customerIds: readonly string[]): Promise<readonly PageRef[]>;
}

/**
 * PORT, beside the Store. What it takes to read again with a progress of its own (ingest/replay); promises held by
 * `test/contract/store.contract.ts`.
 */
export interface Forgetting {
  /** Removes the checkpoints whose topics begin so, and no others. */
  forgetCheckpoints(prefix: string): Promise<void>;
}

/** An empty save, to be spread over. */
export const EMPTY_SAVE: Save = {
  customers: [],
  quarantine: [],
  checkpoints: [],
  truncates: {},
  tallies: [],
  confirms: [],
};
