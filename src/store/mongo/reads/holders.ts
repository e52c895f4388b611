import { compareText } from "../../../customer/values/compare.ts";
import type { MongoCollection } from "../client.ts";
import { keptText, orderedText, originalOf } from "../documents/names.ts";
import type { Stored } from "../documents/values.ts";

/** Which holders: of a table's live rows, in id order after an id. */
export interface HoldersQuery {
  readonly table: string;
  readonly after: string | null;
  readonly limit: number;
}

interface Held extends Stored {
  readonly _id: string;
  readonly customer?: string;
}

/** Customers holding live rows of a table: those whose documents say so, and those whose pages are ahead of them. */
export async function findHolders(
  { customers, pages }: { readonly customers: MongoCollection; readonly pages: MongoCollection },
  { table, after, limit }: HoldersQuery,
): Promise<readonly string[]> {
  const beyond = after === null ? {} : { $gt: orderedText(after) };
  const [documents, paged] = await Promise.all([
    customers.find<Held>({
      filter: { holds: keptText(table), ...(after !== null && { _id: beyond }) },
      fields: { _id: 1 },
      sort: { _id: 1 },
      limit,
    }),
    inPages(pages, { table, after, limit }),
  ]);
  const ids = new Set([...documents.map(({ _id }) => originalOf(_id)), ...paged]);
  return [...ids].sort(compareText).slice(0, limit);
}

/** A customer may have many pages: so pages are read on until there are customers enough. */
async function inPages(
  pages: MongoCollection,
  { table, after, limit }: HoldersQuery,
): Promise<ReadonlySet<string>> {
  const ids = new Set<string>();
  let last = after === null ? null : orderedText(after);
  while (ids.size < limit) {
    const found: readonly Held[] = await pages.find<Held>({
      filter: {
        table: keptText(table),
        liveRows: { $gt: 0 },
        ...(last !== null && { customer: { $gt: last } }),
      },
      fields: { customer: 1 },
      sort: { customer: 1 },
      limit,
    });
    for (const { customer = "" } of found) ids.add(originalOf(customer));
    if (found.length < limit) break;
    last = found.at(-1)?.customer ?? null;
  }
  return ids;
}
