import type { LoadRequest, Place } from "../../store.ts";
import type { MongoCollection } from "../client.ts";
import { placeText } from "./derived.ts";
import { fieldName, keptText, originalOf, textOf } from "./names.ts";
import type { Stored } from "./values.ts";

/** Keys looked up at once: each is looked for in every document that holds any of them, so few. */
const AT_ONCE = 16;

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
  const byField = new Map(keys.map((key) => [fieldName(key), key]));
  const rows = [...byField.keys()].map((field) => [`rows.${field}`, 1] as const);
  const found = await pages.find<Holder>({
    filter: { table: keptText(table), keys: { $in: keys.map(keptText) } },
    fields: { customer: 1, page: 1, revision: 1, ...Object.fromEntries(rows) },
  });
  return found.flatMap(({ _id, customer = "", page = "", revision = 0, rows: held = {} }) => {
    const where = { table, customerId: originalOf(customer), page: textOf(page) };
    return placesIn(held, byField).map(({ field, ...spot }) => ({
      place: { ...where, ...spot },
      on: { id: _id, revision, row: held[field] },
    }));
  });
}

async function inDocuments(
  customers: MongoCollection,
  table: string,
  keys: readonly string[],
): Promise<readonly Held[]> {
  const byField = new Map(keys.map((key) => [fieldName(key), key]));
  const path = fieldName(table);
  const heads = [...byField.keys()].flatMap((field) => [
    [`tables.${path}.${field}.at`, 1] as const,
    [`tables.${path}.${field}.live`, 1] as const,
  ]);
  const found = await customers.find<Holder>({
    filter: { places: { $in: keys.map((key) => placeText(table, key)) } },
    fields: Object.fromEntries(heads),
  });
  return found.flatMap(({ _id, tables = {} }) => {
    const where = { table, customerId: originalOf(_id), page: null };
    return placesIn((tables[path] ?? {}) as Stored, byField).map(({ key, at, live }) => ({
      place: { ...where, key, at, live },
      on: null,
    }));
  });
}

/** The rows among those found that were looked for. */
function placesIn(
  rows: Stored,
  byField: ReadonlyMap<string, string>,
): readonly (Pick<Place, "key" | "at" | "live"> & { readonly field: string })[] {
  return Object.entries(rows).flatMap(([field, row]) => {
    const key = byField.get(field);
    if (key === undefined) return [];
    const { at, live } = row as { readonly at: string; readonly live: boolean };
    return [{ field, key, at: textOf(at), live }];
  });
}
