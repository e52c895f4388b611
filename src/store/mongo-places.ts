import type { Plan } from "../customer/plan.ts";
import type { MongoCollection } from "./mongo-client.ts";
import { placeText } from "./mongo-derived.ts";
import { fieldName, keptText, originalOf, textOf } from "./mongo-names.ts";
import type { Stored } from "./mongo-values.ts";
import type { LoadRequest, Place } from "./store.ts";

/** Keys looked up at once: each answer may hold any of them. */
const AT_ONCE = 50;

interface Holder extends Stored {
  readonly _id: string;
  readonly customer?: string;
  readonly page?: string;
  readonly rows?: Stored;
  readonly tables?: Stored;
}

/** Finds where row keys are held: by an index of the keys, then in the very rows, so an answer is what the documents say. */
export async function findPlaces(
  { customers, pages, plan }: { customers: MongoCollection; pages: MongoCollection; plan: Plan },
  keys: LoadRequest["keys"],
): Promise<readonly Place[]> {
  const steps: Promise<readonly Place[]>[] = [];
  const paged = new Set(
    plan.tables.filter(({ storage }) => storage.kind === "paged").map(({ name }) => name),
  );
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
): Promise<readonly Place[]> {
  const found = await pages.find<Holder>({
    filter: { table: keptText(table), keys: { $in: keys.map(keptText) } },
    fields: { customer: 1, page: 1, ...heads("rows", keys) },
  });
  return found.flatMap(({ customer = "", page = "", rows = {} }) =>
    placesIn(rows, { table, keys, customerId: originalOf(customer), page: textOf(page) }),
  );
}

async function inDocuments(
  customers: MongoCollection,
  table: string,
  keys: readonly string[],
): Promise<readonly Place[]> {
  const field = fieldName(table);
  const found = await customers.find<Holder>({
    filter: { places: { $in: keys.map((key) => placeText(table, key)) } },
    fields: heads(`tables.${field}`, keys),
  });
  return found.flatMap(({ _id, tables = {} }) =>
    placesIn((tables[field] ?? {}) as Stored, { table, keys, customerId: originalOf(_id), page: null }),
  );
}

function heads(path: string, keys: readonly string[]): Stored {
  return Object.fromEntries(
    keys.flatMap((key) => [
      [`${path}.${fieldName(key)}.at`, 1],
      [`${path}.${fieldName(key)}.live`, 1],
    ]),
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
