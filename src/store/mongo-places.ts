import type { MongoCollection } from "./mongo-client.ts";
import { placeText } from "./mongo-derived.ts";
import { fieldName, keptText, originalOf, textOf } from "./mongo-names.ts";
import type { Stored } from "./mongo-values.ts";
import type { LoadRequest, Place } from "./store.ts";

/** Keys looked up at once: each answer may hold any of them. */
const AT_ONCE = 50;

/** A place with what else its document told. */
export interface Held {
  readonly place: Place;
  /** Where it is on a page: the page's `_id`, its revision, and the row as stored. */
  readonly on: { readonly id: string; readonly revision: number; readonly row: unknown } | null;
}

interface Holder extends Stored {
  readonly _id: string;
  readonly customer?: string;
  readonly page?: string;
  readonly revision?: number;
  readonly rows?: Stored;
  readonly tables?: Stored;
}

/** What is looked through. */
export interface Looked {
  readonly customers: MongoCollection;
  readonly pages: MongoCollection;
  /** Tables that are paged. */
  readonly paged: ReadonlySet<string>;
}

/** Finds where row keys are held: by an index of the keys, then in the very rows, so an answer is what the documents say. */
export async function findHeld(
  { customers, pages, paged }: Looked,
  keys: LoadRequest["keys"],
): Promise<readonly Held[]> {
  const steps: Promise<readonly Held[]>[] = [];
  for (const [table, wanted] of Object.entries(keys))
    for (let at = 0; at < wanted.length; at += AT_ONCE) {
      const some = wanted.slice(at, at + AT_ONCE);
      steps.push(paged.has(table) ? inPages(pages, table, some) : inDocuments(customers, table, some));
    }
  return (await Promise.all(steps)).flat();
}

async function inPages(
  pages: MongoCollection,
  table: string,
  keys: readonly string[],
): Promise<readonly Held[]> {
  const rows = keys.map((key) => [`rows.${fieldName(key)}`, 1] as const);
  const found = await pages.find<Holder>({
    filter: { table: keptText(table), keys: { $in: keys.map(keptText) } },
    fields: { customer: 1, page: 1, revision: 1, ...Object.fromEntries(rows) },
  });
  return found.flatMap(({ _id, customer = "", page = "", revision = 0, rows: held = {} }) =>
    placesIn(held, { table, keys, customerId: originalOf(customer), page: textOf(page) }).map((place) => ({
      place,
      on: { id: _id, revision, row: held[fieldName(place.key)] },
    })),
  );
}

async function inDocuments(
  customers: MongoCollection,
  table: string,
  keys: readonly string[],
): Promise<readonly Held[]> {
  const field = fieldName(table);
  const heads = keys.flatMap((key) => [
    [`tables.${field}.${fieldName(key)}.at`, 1] as const,
    [`tables.${field}.${fieldName(key)}.live`, 1] as const,
  ]);
  const found = await customers.find<Holder>({
    filter: { places: { $in: keys.map((key) => placeText(table, key)) } },
    fields: Object.fromEntries(heads),
  });
  return found.flatMap(({ _id, tables = {} }) =>
    placesIn((tables[field] ?? {}) as Stored, {
      ...{ table, keys, customerId: originalOf(_id), page: null },
    }).map((place) => ({ place, on: null })),
  );
}

function placesIn(
  rows: Stored,
  { keys, ...where }: Pick<Place, "table" | "customerId" | "page"> & { readonly keys: readonly string[] },
): readonly Place[] {
  return keys.flatMap((key) => {
    const field = fieldName(key);
    if (!Object.hasOwn(rows, field)) return [];
    const { at, live } = rows[field] as { readonly at: string; readonly live: boolean };
    return [{ ...where, key, at: textOf(at), live }];
  });
}
