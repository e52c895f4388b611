import type { Customer } from "../../../customer/customer.ts";
import { factName, type FindFact, requireFact } from "../../facts.ts";
import { readCursor, writeCursor } from "../../list-cursor.ts";
import type { CustomerQuery, Listing } from "../../reads.ts";
import type { IndexSpec, MongoCollection } from "../client.ts";
import type { StoredCustomer } from "../documents/documents.ts";
import { factField } from "../documents/facts.ts";
import { fieldName } from "../documents/names.ts";
import type { Stored } from "../documents/values.ts";
import { leastOf, mongoFilter } from "./filter.ts";
import { READ, readableOf } from "./read-documents.ts";

/** Lists customers: those with a value by (value, id), then those without one by id. */
export async function listCustomers(
  customers: MongoCollection,
  find: FindFact,
  query: CustomerQuery,
): Promise<Listing<Customer>> {
  const wanted = query.first + 1;
  const { list, stretches } = stretchesOf(find, query);
  const found: { readonly customer: StoredCustomer; readonly value: string | number | null }[] = [];
  for (const { match, sort, name } of stretches) {
    if (found.length >= wanted) break;
    const documents = await customers.find<StoredCustomer>({
      filter: match,
      sort,
      fields: READ,
      limit: wanted - found.length,
    });
    for (const customer of documents)
      found.push({ customer, value: name === null ? null : valueIn(customer, name) });
  }
  return {
    items: found.slice(0, query.first).map(({ customer, value }) => ({
      item: readableOf(customer),
      cursor: writeCursor(list, [value, customer._id]),
    })),
    hasNext: found.length > query.first,
  };
}

/** Indexes that a query goes along. */
export function indexesFor(find: FindFact, { filter, orderBy }: CustomerQuery): readonly IndexSpec[] {
  const name = factName(orderBy.field);
  const spec = (field: string, direction: 1 | -1): IndexSpec => ({
    keys: { listed: 1, [field]: direction, _id: 1 },
  });
  const filtered = [...mongoFilter(filter, find).fields].map((field) => spec(field, 1));
  if (name === null) return filtered;
  return [spec(factField(requireFact(find, name).name), orderBy.direction === "desc" ? -1 : 1), ...filtered];
}

interface Stretch {
  readonly match: Stored;
  readonly sort: Readonly<Record<string, 1 | -1>>;
  /** The fact it is ordered by; null for the id. */
  readonly name: string | null;
}

/** `value` null in a cursor says that the stretch of those without one has begun. */
function stretchesOf(
  find: FindFact,
  { filter, orderBy, after }: CustomerQuery,
): { readonly list: string; readonly stretches: readonly Stretch[] } {
  const name = factName(orderBy.field);
  const list = `customers ${name ?? "id"} ${orderBy.direction}`;
  const [at = null, id = null] = after === null ? [] : readCursor(list, after, ["any", "text"]);
  const { match } = mongoFilter(filter, find);
  const all = (...more: readonly Stored[]): Stored => ({ listed: true, $and: [match, ...more] });
  const down = orderBy.direction === "desc";
  const byId = (direction: 1 | -1, ...more: readonly Stored[]): Stretch => {
    const beyond = at !== null || id === null ? [] : [{ _id: { [direction === 1 ? "$gt" : "$lt"]: id } }];
    return { match: all(...more, ...beyond), sort: { _id: direction }, name: null };
  };
  if (name === null) return { list, stretches: [byId(down ? -1 : 1)] };
  const fact = requireFact(find, name);
  const field = factField(fact.name);
  const without = byId(1, { [field]: { $in: [null, false] } });
  if (id !== null && at === null) return { list, stretches: [without] };
  const [beyond, from] = down ? ["$lt", "$lte"] : ["$gt", "$gte"];
  const range =
    at === null
      ? [{ [field]: { $gte: leastOf(fact.as) } }]
      : [
          { [field]: { [from]: at } },
          { $or: [{ [field]: { [beyond]: at } }, { [field]: at, _id: { $gt: id } }] },
        ];
  const withValue: Stretch = { match: all(...range), sort: { [field]: down ? -1 : 1, _id: 1 }, name };
  return { list, stretches: [withValue, without] };
}

function valueIn(customer: StoredCustomer, name: string): string | number | null {
  const facts = (customer["facts"] ?? {}) as Readonly<Record<string, string | number>>;
  return facts[fieldName(name)] ?? null;
}
