import type { PageChange } from "../../../customer/applied.ts";
import type { Page, PageRef, Row, Rows, Totals } from "../../../customer/customer.ts";
import type { Plan } from "../../../customer/plan.ts";
import { unplacedTables } from "../../placed-tables.ts";
import type { PageRequest } from "../../store.ts";
import type { MongoCollection } from "../client.ts";
import { type Guarded, writeGuarded } from "./guarded.ts";
import { fieldName, keptText, orderedText, originalOf, textOf } from "./names.ts";
import { newPatch, operators } from "./patch.ts";
import { restored, stored, type Stored } from "./values.ts";
import { createPageWeights } from "./weight.ts";

/** Pages, one document each. */
export interface MongoPages {
  /** Pages with the rows asked for, by page id; one that there is not has no entry. */
  load(requests: readonly PageRequest[]): Promise<ReadonlyMap<string, StoredPage>>;
  /** The answer to a request: the page as found, or a new one. */
  answer(request: PageRequest, found: StoredPage | undefined): Page;
  /** Why a page cannot be kept, or null. */
  excess(change: PageChange): string | null;
  /** Pages without rows, by page id. */
  headers(refs: readonly PageRef[]): Promise<ReadonlyMap<string, StoredPage>>;
  /**
   * Saves pages, each on the revision it was loaded at, under the name of the save;
   * answers the customers that lost one of theirs.
   */
  save(changes: readonly PageChange[], stamp: string): Promise<ReadonlySet<string>>;
  /** Every page of these customers. */
  of(customerIds: readonly string[]): Promise<readonly PageRef[]>;
}

/** A page as stored, or those parts of it that were asked for. */
export interface StoredPage extends Stored {
  readonly _id: string;
  readonly customer: string;
  readonly table: string;
  readonly page: string;
  readonly revision: number;
  readonly totals: Totals;
  readonly liveRows: number;
  /** About how many it has. */
  readonly bytes: number;
  readonly rows?: Stored;
}

/** Pages read at once. */
const HEADERS_AT_ONCE = 500;
/** Pages read at once with some of their rows: every key wanted of any is looked for in each, so few. */
const PARTS_AT_ONCE = 10;
const HEADER = { customer: 1, table: 1, page: 1, revision: 1, totals: 1, liveRows: 1, bytes: 1 };

/** Pages in MongoDB. */
export function mongoPages(collection: MongoCollection, plan: Plan): MongoPages {
  const unplaced = unplacedTables(plan);
  const weights = createPageWeights();
  const guarded = (change: PageChange, stamp: string): Guarded => {
    const bytes = weights.after(change);
    const placed = !unplaced.has(change.after.table);
    return {
      id: pageId(change.after),
      from: change.before.revision,
      stamp,
      write: writeOf(change, { by: stamp, placed, bytes }),
    };
  };
  return {
    load: (requests) => loadPages(collection, requests),
    answer: (request, found) => {
      const page = pageOf(request, found);
      if (found !== undefined) weights.note(page, found.bytes);
      return page;
    },
    excess: weights.excess,
    headers: async (refs) =>
      byId(await inSteps(refs, HEADERS_AT_ONCE, (some) => find(collection, some, HEADER))),
    save: async (changes, stamp) => {
      const parts = changes.map((change) => ({
        part: guarded(change, stamp),
        customerId: change.after.customerId,
      }));
      const lost = await writeGuarded(
        collection,
        parts.map(({ part }) => part),
      );
      return new Set(parts.flatMap(({ part, customerId }) => (lost.has(part.id) ? [customerId] : [])));
    },
    of: async (customerIds) => {
      const found = await collection.find<StoredPage>({
        filter: { customer: { $in: customerIds.map(orderedText) } },
        fields: { customer: 1, table: 1, page: 1 },
      });
      return found.map(refOf);
    },
  };
}

/** A page's `_id`. */
export function pageId({ customerId, table, page }: PageRef): string {
  return JSON.stringify([customerId, table, page]);
}

function refOf({ customer, table, page }: StoredPage): PageRef {
  return { customerId: originalOf(customer), table: textOf(table), page: textOf(page) };
}

/** The position of the newest of some rows, as it is ordered by. */
function newestOf(rows: Rows): string {
  let newest = "";
  for (const key in rows) {
    const at = orderedText(rows[key]?.at ?? "");
    if (at > newest) newest = at;
  }
  return newest;
}

interface Writing {
  readonly by: string;
  /** Whether its keys are looked up. */
  readonly placed: boolean;
  readonly bytes: number;
}

function writeOf({ before, after, rows }: PageChange, { by, placed, bytes }: Writing): Guarded["write"] {
  const { customerId, table, page, revision, totals, liveRows } = after;
  const customer = orderedText(customerId);
  const newest = newestOf(rows);
  const header = { revision, by, totals: stored(totals), liveRows, bytes };
  if (before.revision === 0) {
    const ref = { _id: pageId(after), customer, table: keptText(table), page: keptText(page) };
    const keys = placed ? { keys: Object.keys(after.rows).map(keptText) } : {};
    return { insert: { ...ref, ...header, newest, ...keys, rows: stored(after.rows) } };
  }
  const patch = newPatch();
  Object.assign(patch.set, header);
  const added: string[] = [];
  for (const [key, row] of Object.entries(rows)) {
    patch.set[`rows.${fieldName(key)}`] = stored(row);
    if (!Object.hasOwn(before.rows, key)) added.push(keptText(key));
  }
  for (const key in before.rows)
    if (!Object.hasOwn(after.rows, key)) patch.unset[`rows.${fieldName(key)}`] = true;
  return {
    filter: { _id: pageId(after), customer, revision: before.revision },
    // `keys` may name rows that are gone: whoever looks a key up finds no row there.
    update: {
      ...operators(patch),
      ...(newest === "" ? {} : { $max: { newest } }),
      ...(placed && added.length > 0 ? { $push: { keys: { $each: added } } } : {}),
    },
  };
}

async function loadPages(
  collection: MongoCollection,
  requests: readonly PageRequest[],
): Promise<ReadonlyMap<string, StoredPage>> {
  const whole = requests.filter(({ keys }) => keys === "all");
  const partial = requests.filter(({ keys }) => keys !== "all");
  const found = await Promise.all([
    inSteps(whole, HEADERS_AT_ONCE, (some) => find(collection, some, { ...HEADER, rows: 1 })),
    inSteps(partial, PARTS_AT_ONCE, (some) => {
      const keys = some.flatMap(({ keys: wanted }) => (wanted === "all" ? [] : wanted));
      const rows = Object.fromEntries(keys.map((key) => [`rows.${fieldName(key)}`, 1]));
      return find(collection, some, { ...HEADER, ...rows });
    }),
  ]);
  return byId(found.flat());
}

function byId(pages: readonly StoredPage[]): ReadonlyMap<string, StoredPage> {
  return new Map(pages.map((page) => [page._id, page]));
}

/** Reads a list in steps, all of them at once. */
async function inSteps<T, R>(
  list: readonly T[],
  size: number,
  read: (some: readonly T[]) => Promise<readonly R[]>,
): Promise<readonly R[]> {
  const steps: Promise<readonly R[]>[] = [];
  for (let at = 0; at < list.length; at += size) steps.push(read(list.slice(at, at + size)));
  return (await Promise.all(steps)).flat();
}

function find(
  collection: MongoCollection,
  refs: readonly PageRef[],
  fields: Stored,
): Promise<readonly StoredPage[]> {
  return collection.find<StoredPage>({ filter: { _id: { $in: refs.map(pageId) } }, fields });
}

function pageOf({ customerId, table, page, keys }: PageRequest, found: StoredPage | undefined): Page {
  const rows = found?.rows ?? {};
  const wanted =
    keys === "all"
      ? (restored(rows) as Rows)
      : Object.fromEntries(
          keys.flatMap((key): [string, Row][] => {
            const field = fieldName(key);
            return Object.hasOwn(rows, field) ? [[key, restored(rows[field]) as Row]] : [];
          }),
        );
  return {
    customerId,
    table,
    page,
    revision: found?.revision ?? 0,
    totals: found === undefined ? {} : (restored(found.totals) as Totals),
    liveRows: found?.liveRows ?? 0,
    rows: wanted,
    whole: keys === "all",
  };
}
