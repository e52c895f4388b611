import type { Customer } from "../../../customer/customer.ts";
import { newCustomer, NOBODY } from "../../../customer/customer.ts";
import type { Plan } from "../../../customer/plan.ts";
import type { FactGroup } from "../../facts.ts";
import { soughtTables } from "../../placed-tables.ts";
import type { CustomerSave, Save } from "../../store.ts";
import type { MongoCollection } from "../client.ts";
import { derivedOf, newPlaces, sharesDerived } from "./derived.ts";
import { factsIn, patchFacts } from "./facts.ts";
import { type Guarded, writeGuarded } from "./guarded.ts";
import { orderedText, originalOf } from "./names.ts";
import { diff, newPatch, operators, type Patch } from "./patch.ts";
import { isSame, restored, stored, type Stored } from "./values.ts";

/** Customers, one document each. */
export interface MongoDocuments {
  load(ids: readonly string[]): Promise<ReadonlyMap<string, Customer>>;
  /**
   * Saves documents, each on the revision it was loaded at, under the name of the save;
   * answers who was changed by somebody else.
   */
  save(saves: readonly CustomerSave[], stamp: string): Promise<ReadonlySet<string>>;
  confirm(confirms: Save["confirms"]): Promise<void>;
}

/** What documents are made with. */
export interface DocumentParts {
  readonly collection: MongoCollection;
  readonly plan: Plan;
  readonly groups: readonly FactGroup[];
}

/** Parts of a customer that are patched, and how many levels of entries they have. */
const PATCHED = {
  tables: 2,
  notes: 2,
  totals: 1,
  history: 1,
  crossings: 1,
  metrics: 1,
  segments: 1,
  offers: 1,
  freshness: 0,
  outbox: 0,
} as const satisfies Partial<Record<keyof Customer, number>>;
const PARTS = Object.keys(PATCHED) as (keyof typeof PATCHED)[];

/** The customer itself, without what only lists and look-ups need. */
export const LOADED: Readonly<Record<string, 1>> = Object.fromEntries(
  ["revision", "dueMs", ...PARTS].map((part): [string, 1] => [part, 1]),
);

/** Documents in MongoDB. */
export function mongoDocuments({ collection, plan, groups }: DocumentParts): MongoDocuments {
  const sought = soughtTables(plan);
  const guarded = (save: CustomerSave, by: string): Guarded => {
    const { before, after } = save;
    const id = orderedText(after.customerId);
    const write =
      before.revision === 0
        ? { insert: { _id: id, by, ...wholeOf(save, { groups, sought }) } }
        : { filter: { _id: id, revision: before.revision }, update: updateOf(save, { groups, sought, by }) };
    return { id, from: before.revision, stamp: by, write };
  };
  return {
    load: async (ids) => {
      const customers = new Map(ids.map((id) => [id, newCustomer(id)]));
      if (ids.length === 0) return customers;
      const filter = { _id: { $in: ids.map(orderedText) } };
      for (const found of await collection.find<StoredCustomer>({ filter, fields: LOADED }))
        customers.set(originalOf(found._id), customerOf(found));
      return customers;
    },
    save: async (saves, stamp) => {
      const changed = saves.filter(({ before, after }) => before !== after);
      const lost = await writeGuarded(
        collection,
        changed.map((save) => guarded(save, stamp)),
      );
      return new Set([...lost].map(originalOf));
    },
    confirm: async (confirms) => {
      await collection.write(
        confirms.flatMap(({ customerId, revision }) => {
          const _id = orderedText(customerId);
          return [
            { filter: { _id }, update: { $pull: { outbox: { revision: { $lte: revision } } } } },
            { filter: { _id, relay: { $lte: revision } }, update: { $unset: { relay: true } } },
          ];
        }),
      );
    },
  };
}

/** A customer as stored: its parts under their own names, an absent `dueMs` for never. */
export interface StoredCustomer extends Stored {
  readonly _id: string;
  readonly revision: number;
  readonly dueMs?: number;
}

/** Reads a document back. A part that was not asked for is as in a new customer. */
export function customerOf(found: StoredCustomer): Customer {
  const { _id, revision, dueMs } = found;
  const parts = PARTS.flatMap((part) => (found[part] === undefined ? [] : [[part, restored(found[part])]]));
  return {
    ...newCustomer(originalOf(_id)),
    ...(Object.fromEntries(parts) as Partial<Customer>),
    revision,
    dueMs: dueMs ?? null,
  };
}

function wholeOf(
  { after, relay }: CustomerSave,
  { groups, sought }: Pick<DocumentParts, "groups"> & { readonly sought: ReadonlySet<string> },
): Stored {
  const { customerId, revision, dueMs } = after;
  // A part that is empty, as most are at first, is made when something comes into it.
  const parts = Object.fromEntries(
    PARTS.flatMap((part) => (part !== "outbox" && isEmpty(after[part]) ? [] : [[part, stored(after[part])]])),
  );
  const derived = derivedOf(after);
  const places = newPlaces(sought, {}, after.tables);
  const isListed = customerId !== NOBODY && derived.holds.length > 0;
  return {
    revision,
    ...parts,
    ...Object.fromEntries(Object.entries(derived).filter(([, part]) => !isEmpty(part as object))),
    ...(places.length > 0 && { places }),
    ...(dueMs !== null && { dueMs }),
    ...(relay && { relay: revision }),
    ...(isListed && { listed: true }),
    ...(customerId !== NOBODY && { facts: factsIn(groups, after) }),
  };
}

function isEmpty(part: object): boolean {
  return Object.keys(part).length === 0;
}

interface Update {
  readonly groups: readonly FactGroup[];
  readonly sought: ReadonlySet<string>;
  readonly by: string;
}

function updateOf({ before, after, relay }: CustomerSave, { groups, sought, by }: Update): Stored {
  const patch = newPatch();
  patch.set["revision"] = after.revision;
  patch.set["by"] = by;
  for (const path of PARTS)
    diff(patch, { path, before: before[path], after: after[path], depth: PATCHED[path] });
  if (after.dueMs === null) {
    if (before.dueMs !== null) patch.unset["dueMs"] = true;
  } else if (after.dueMs !== before.dueMs) patch.set["dueMs"] = after.dueMs;
  if (relay) patch.set["relay"] = after.revision;
  patchDerived(patch, before, after);
  if (after.customerId !== NOBODY) patchFacts(patch, groups, { before, after });
  const places = newPlaces(sought, before.tables, after.tables);
  return { ...operators(patch), ...(places.length > 0 && { $push: { places: { $each: places } } }) };
}

function patchDerived(patch: Patch, before: Customer, after: Customer): void {
  if (sharesDerived(before, after)) return;
  const old = derivedOf(before);
  const now = derivedOf(after);
  for (const [path, part] of Object.entries(now)) if (!isSame(old[path], part)) patch.set[path] = part;
  // For good: who is listed stays so.
  const isListed = after.customerId !== NOBODY && now.holds.length > 0;
  if (isListed && old.holds.length === 0) patch.set["listed"] = true;
}
