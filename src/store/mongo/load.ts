import type { Page } from "../../customer/customer.ts";
import type { Loaded, LoadRequest, PageRequest } from "../store.ts";
import type { MongoDocuments } from "./documents/documents.ts";
import { fieldName } from "./documents/names.ts";
import { type MongoPages, pageId, type StoredPage } from "./documents/pages.ts";
import { findHeld, type Held, type Looked } from "./documents/places.ts";
import type { MongoLedger } from "./ledger.ts";

/** What a load goes to. */
export interface LoadParts extends Looked {
  readonly documents: MongoDocuments;
  readonly loadedPages: MongoPages;
  readonly ledger: MongoLedger;
}

/**
 * Loads what a batch needs.
 *
 * Most rows of a batch are new to their page, so looking for them in every page is wasted; and where a key is held is looked
 * up anyway. So pages are read without rows first, and rows come from the look-up, which is made after: a key that is not
 * found then was not on the page as it was read, or has left it since, and then the page has another revision and saving it
 * is a conflict. A page that changed in between is read again with its rows.
 */
export async function load(parts: LoadParts, request: LoadRequest): Promise<Loaded> {
  const { documents, loadedPages, ledger } = parts;
  const lookedUp = new Map(Object.entries(request.keys).map(([table, keys]) => [table, new Set(keys)]));
  const isLookedUp = ({ table, keys }: PageRequest) => {
    const found = lookedUp.get(table);
    return keys !== "all" && found !== undefined && keys.every((key) => found.has(key));
  };
  const bare = request.pages.filter(isLookedUp);
  const customers = documents.load(request.customers);
  const truncates = ledger.truncates();
  const [headers, direct] = await Promise.all([
    loadedPages.headers(bare),
    loadedPages.load(request.pages.filter((each) => !isLookedUp(each))),
    // Rejected together with the rest, instead of nobody's.
    customers,
    truncates,
  ]);
  const held = await findHeld(parts, request.keys);
  const filled = fill(bare, headers, held);
  const again = await loadedPages.load(filled.moved);
  const found = new Map([...filled.pages, ...direct, ...again]);
  return {
    customers: await customers,
    pages: request.pages.map((each): Page => loadedPages.answer(each, found.get(pageId(each)))),
    places: held.map(({ place }) => place),
    truncates: await truncates,
  };
}

interface Filled {
  readonly pages: ReadonlyMap<string, StoredPage>;
  /** Pages that changed between the two readings. */
  readonly moved: readonly PageRequest[];
}

/** Puts the rows of the look-up into the pages they are on. */
function fill(
  requests: readonly PageRequest[],
  headers: ReadonlyMap<string, StoredPage>,
  held: readonly Held[],
): Filled {
  const rows = new Map<string, Record<string, unknown>>();
  const moved = new Set<string>();
  for (const { place, on } of held) {
    if (on === null) continue;
    if (headers.get(on.id)?.revision !== on.revision) moved.add(on.id);
    const known = rows.get(on.id);
    if (known === undefined) rows.set(on.id, { [fieldName(place.key)]: on.row });
    else known[fieldName(place.key)] = on.row;
  }
  const pages = [...headers].map(([id, header]) => [id, { ...header, rows: rows.get(id) ?? {} }] as const);
  return { pages: new Map(pages), moved: requests.filter((each) => moved.has(pageId(each))) };
}
