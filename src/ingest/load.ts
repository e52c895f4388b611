import type { Change } from "../cdc/change.ts";
import { canMove } from "../cdc/table.ts";
import type { ApplyInput } from "../customer/applied.ts";
import type { Customer, Page, PageRef } from "../customer/customer.ts";
import { customerIn, type Loaded, type LoadRequest, type Place } from "../store/store.ts";
import { isWhereNamed, route, type Routes } from "./route.ts";
import type { Shell } from "./shell.ts";

/** Everything `apply` needs for the changes of a batch. */
export interface Gathered {
  readonly inputs: readonly ApplyInput[];
  readonly routes: Routes;
  /** Where the rows that can move were found, and the watermarks: what others may have changed by the time of the save. */
  readonly seen: Pick<Loaded, "places" | "truncates">;
}

/** What was loaded so far. */
interface Hand {
  readonly customers: Map<string, Customer>;
  /** The pages that changes of the routes looked at last concern, by customer. */
  readonly needs: Map<string, PageNeeds>;
  /** By page id; a page is good for the keys it was asked with. */
  readonly pages: Map<string, { readonly page: Page; readonly keys: ReadonlySet<string> }>;
  truncates: Loaded["truncates"];
}

/**
 * Routes changes and loads the customers they lead to. Where rows are held is only known once looked up, but a change mostly
 * belongs where it says: so its own word is taken for a first guess, loaded together with the look-up in one call. Only where the
 * places say otherwise changes are routed again, and what that adds is loaded after.
 */
export async function load(shell: Shell, changes: readonly Change[]): Promise<Gathered> {
  const { tables } = shell;
  const guess = route({ changes, tables, places: [] });
  const hand: Hand = { customers: new Map(), needs: new Map(), pages: new Map(), truncates: {} };
  const keys = movingKeys(shell, changes);
  const places = changes.length === 0 ? [] : await fill(shell, hand, { routes: guess, keys });
  const routes = isWhereNamed({ changes, tables, places }) ? guess : route({ changes, tables, places });
  if (routes !== guess) await fill(shell, hand, { routes, keys: null });
  return { inputs: inputsOf(shell, hand, routes), routes, seen: { places, truncates: hand.truncates } };
}

function inputsOf({ clock }: Shell, hand: Hand, routes: Routes): readonly ApplyInput[] {
  const nowMs = clock.nowMs();
  const { truncates } = hand;
  return [...routes.changes].map(([customerId, sent]) => {
    const customer = customerIn(hand, customerId);
    return { customer, pages: pagesFor(hand, customerId), changes: sent, truncates, nowMs };
  });
}

/** Loads what routes need and the hand does not hold, and looks keys up (null: nothing to look up). */
async function fill(
  shell: Shell,
  hand: Hand,
  { routes, keys }: { readonly routes: Routes; readonly keys: LoadRequest["keys"] | null },
): Promise<readonly Place[]> {
  const customers: string[] = [];
  const wanted = new Map<string, PageNeed>();
  hand.needs.clear();
  for (const [customerId, sent] of routes.changes) {
    if (!hand.customers.has(customerId)) {
      const known = shell.documents.find(customerId);
      if (known === undefined) customers.push(customerId);
      else hand.customers.set(customerId, known);
    }
    const needs = pageNeeds(customerId, sent);
    hand.needs.set(customerId, needs);
    for (const [id, need] of needs) if (!holds(hand, id, need)) wanted.set(id, need);
  }
  if (customers.length === 0 && wanted.size === 0) {
    if (keys === null) return [];
    const recent = isEmpty(keys) ? shell.watermarks.recent() : null;
    if (recent !== null) {
      hand.truncates = recent;
      return [];
    }
  }
  const loaded = await shell.store.load({
    customers,
    pages: [...wanted.values()].map(({ ref, keys: asked }) => ({ ...ref, keys: [...asked] })),
    keys: keys ?? {},
  });
  for (const [customerId, customer] of loaded.customers) hand.customers.set(customerId, customer);
  for (const page of loaded.pages) {
    const id = pageId(page);
    hand.pages.set(id, { page, keys: wanted.get(id)?.keys ?? new Set() });
  }
  hand.truncates = loaded.truncates;
  return loaded.places;
}

/** A page with the keys of it that changes concern. */
interface PageNeed {
  readonly ref: PageRef;
  readonly keys: Set<string>;
}

/** The pages a customer's changes concern, by page id. */
type PageNeeds = ReadonlyMap<string, PageNeed>;

const pageId = ({ customerId, table, page }: PageRef): string => `${customerId}\u0000${table}\u0000${page}`;

function holds({ pages }: Hand, id: string, { keys }: PageNeed): boolean {
  const held = pages.get(id);
  return held !== undefined && [...keys].every((key) => held.keys.has(key));
}

function pagesFor({ needs, pages }: Hand, customerId: string): readonly Page[] {
  const found: Page[] = [];
  for (const id of needs.get(customerId)?.keys() ?? []) {
    const held = pages.get(id);
    if (held !== undefined) found.push(held.page);
  }
  return found;
}

function pageNeeds(customerId: string, sent: readonly Change[]): PageNeeds {
  let needs: Map<string, PageNeed> | null = null;
  for (const { table, page, key } of sent) {
    if (page === null) continue;
    const ref = { customerId, table, page };
    const id = pageId(ref);
    needs ??= new Map();
    const need = needs.get(id);
    if (need === undefined) needs.set(id, { ref, keys: new Set([key]) });
    else need.keys.add(key);
  }
  return needs ?? NO_PAGES;
}

function isEmpty(keys: LoadRequest["keys"]): boolean {
  for (const _ in keys) return false;
  return true;
}

const NO_PAGES: PageNeeds = new Map();

/** The keys of rows that can move, by table. */
function movingKeys({ tables }: Shell, changes: readonly Change[]): Record<string, readonly string[]> {
  const keys = new Map<string, Set<string>>();
  for (const { table: name, key } of changes) {
    const table = tables.get(name);
    if (table === undefined || !canMove(table)) continue;
    const found = keys.get(name);
    if (found === undefined) keys.set(name, new Set([key]));
    else found.add(key);
  }
  return Object.fromEntries([...keys].map(([name, found]) => [name, [...found]]));
}
