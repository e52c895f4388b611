import type { PageChange } from "../../../customer/applied.ts";
import type { Customer, Page } from "../../../customer/customer.ts";
import type { Stored } from "./values.ts";

/** MongoDB keeps documents of at most 16 MiB. This is about how many bytes of them we fill; the estimate may be a little off. */
export const MOST_BYTES = 12 * 1024 * 1024;

/** Of an entry beside its name and value, and of a value that is not text. */
const ENTRY_BYTES = 8;
const VALUE_BYTES = 8;
/** Shorter texts are not worth counting bytes of. */
const SHORT = 64;

const weights = new WeakMap<object, number>();

/** Parts that may hold much, and share most of it with the version before: what they hold is weighed once. */
const LARGE: ReadonlySet<string> = new Set([
  "tables",
  "notes",
  "totals",
  "history",
  "crossings",
] satisfies (keyof Customer)[]);

/**
 * Levels of such a part, of the rows of a page, and of one row, that are remembered.
 * What lies below is weighed faster than it is looked up.
 */
const PART_LEVELS = 3;
const ROWS_LEVELS = 2;
const ROW_LEVELS = 1;

/** With fewer entries a part is weighed faster than it is looked up, and what it is remembered by is dear to collect. */
const FEW = 8;

/** About how many bytes a part takes. `isOneOfMany`: its neighbours mostly stay as they are. */
function weigh(part: unknown, levels: number, isOneOfMany: boolean): number {
  if (typeof part === "string") return part.length <= SHORT ? part.length : Buffer.byteLength(part);
  if (typeof part !== "object" || part === null) return VALUE_BYTES;
  if (levels === 0) return weighEntries(part, 0);
  if (!isOneOfMany && !hasMany(part)) return weighEntries(part, levels - 1);
  const known = weights.get(part);
  if (known !== undefined) return known;
  const weight = weighEntries(part, levels - 1);
  weights.set(part, weight);
  return weight;
}

function weighEntries(part: object, levels: number): number {
  let weight = 0;
  const entries = part as Stored;
  const isMany = levels > 0 && hasMany(part);
  for (const name in entries) weight += ENTRY_BYTES + name.length + weigh(entries[name], levels, isMany);
  return weight;
}

function hasMany(part: object): boolean {
  let count = 0;
  for (const _ in part) if (++count > FEW) return true;
  return false;
}

function weighCustomer(customer: Customer): number {
  let weight = 0;
  const parts: Stored = { ...customer };
  for (const name in parts)
    weight += ENTRY_BYTES + name.length + weigh(parts[name], LARGE.has(name) ? PART_LEVELS : 0, false);
  return weight;
}

/** Why a document cannot be kept, or null. One that is too large already may still become smaller. */
export function excessOfDocument(before: Customer, after: Customer): string | null {
  const weight = weighCustomer(after);
  return weight <= MOST_BYTES || weight <= weighCustomer(before)
    ? null
    : reason("the document of its customer", weight);
}

/** What pages weigh, most of whose rows are not at hand: known from loading them, and from then on by what changes. */
export interface PageWeights {
  /** Notes what a page that was loaded weighs. */
  note(page: Page, bytes: number): void;
  after(change: PageChange): number;
  /** Why a page cannot be kept, or null. */
  excess(change: PageChange): string | null;
}

/** Weights of the pages under way. */
export function createPageWeights(): PageWeights {
  const known = new WeakMap<Page, number>();
  const before = (page: Page) => known.get(page) ?? weigh(page.rows, ROWS_LEVELS, false);
  const after = (change: PageChange): number => {
    let weight = before(change.before);
    for (const [key, row] of Object.entries(change.rows)) {
      if (Object.hasOwn(change.before.rows, key)) weight -= weigh(change.before.rows[key], ROW_LEVELS, true);
      // A key stands in the list of keys, too.
      else weight += 2 * (ENTRY_BYTES + key.length);
      weight += weigh(row, ROW_LEVELS, true);
    }
    return weight;
  };
  return {
    note: (page, bytes) => void known.set(page, bytes),
    after,
    excess: (change) => {
      const weight = after(change);
      const { table, page } = change.after;
      return weight <= MOST_BYTES || weight <= before(change.before)
        ? null
        : reason(`page ${page} of ${table} of its customer`, weight);
    },
  };
}

function reason(what: string, bytes: number): string {
  const mebibytes = (count: number) => (count / 1024 / 1024).toFixed(1);
  return `${what} would have ${mebibytes(bytes)} MiB, more than the ${mebibytes(MOST_BYTES)} that are kept in one`;
}
