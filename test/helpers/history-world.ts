import type { Change, Position } from "../../src/cdc/change.ts";
import { apply } from "../../src/customer/apply.ts";
import type { Applied } from "../../src/customer/applied.ts";
import { canonical } from "../../src/customer/values/canonical.ts";
import { type Customer, newCustomer, type Page } from "../../src/customer/customer.ts";
import type { Plan } from "../../src/customer/plan.ts";
import { type Arrival, CUSTOMER } from "./history.ts";

/** One customer with its pages and truncates: as much of a store as the pure core needs around it. */
export interface World {
  customer: Customer;
  readonly pages: Map<string, Page>;
  readonly truncates: Record<string, Position>;
  nowMs: number;
}

/** A world in which nothing has happened yet. */
export function emptyWorld(): World {
  return { customer: newCustomer(CUSTOMER), pages: new Map(), truncates: {}, nowMs: 5000 };
}

const refOf = ({ table, page }: Page): string => `${table}/${page}`;

/** Loads what a batch asks for: of each page only the rows of the batch's keys, unless it is asked for whole. */
function load(world: World, changes: readonly Change[], whole: readonly Page[]): Page[] {
  const asked = new Map<string, Page>(whole.map((page) => [refOf(page), page]));
  const loaded = new Map<string, Page>();
  for (const [ref, page] of asked) loaded.set(ref, { ...(world.pages.get(ref) ?? page), whole: true });
  for (const { table, page, key } of changes) {
    const ref = `${table}/${page}`;
    if (page === null || asked.has(ref)) continue;
    const stored = world.pages.get(ref);
    const row = stored?.rows[key];
    const rows = { ...loaded.get(ref)?.rows, ...(row === undefined ? {} : { [key]: row }) };
    const empty = { customerId: CUSTOMER, table, page, revision: 0, totals: {}, liveRows: 0 };
    loaded.set(ref, { ...(stored ?? empty), rows, whole: false });
  }
  return [...loaded.values()];
}

/** Applies a batch to what is stored, loading pages whole when that is needed; saves nothing. */
export function applyTo(world: World, changes: readonly Change[], plan: Plan): Applied {
  for (const { op, table, position } of changes) {
    const known = world.truncates[table];
    if (op === "truncate" && (known === undefined || known < position)) world.truncates[table] = position;
  }
  let whole: Page[] = [];
  for (;;) {
    const pages = load(world, changes, whole);
    const { customer, truncates, nowMs } = world;
    const applied = apply({ customer, pages, changes, truncates, nowMs }, plan);
    if (applied.needsWhole.length === 0) return applied;
    whole = [...whole, ...applied.needsWhole];
  }
}

/** Writes the pages of a result, as a save does before it writes the document. */
export function savePages(world: World, applied: Applied): void {
  for (const { before, after, rows } of applied.pages) {
    const stored = world.pages.get(refOf(after));
    if ((stored?.revision ?? 0) !== before.revision) throw new Error("page conflict");
    world.pages.set(refOf(after), { ...after, rows: { ...stored?.rows, ...rows }, whole: true });
  }
}

/** Applies and saves a batch. */
export function deliver(world: World, changes: readonly Change[], plan: Plan): Applied {
  const applied = applyTo(world, changes, plan);
  savePages(world, applied);
  world.customer = applied.customer;
  return applied;
}

/** Applies and saves every batch. With `crashes`, each batch is cut off once between its pages and its document, and redelivered. */
export function play(arrival: Arrival, plan: Plan, crashes = false): World {
  const world = emptyWorld();
  for (const batch of arrival) {
    if (crashes) savePages(world, applyTo(world, batch, plan));
    deliver(world, batch, plan);
  }
  return world;
}

/** The canonical document of a world. */
export function canonicalOf({ customer, pages }: World): string {
  return canonical(customer, [...pages.values()]);
}

/** All rows as stored, dead ones, heads and origins included; but not what lies dead below a truncate, which nothing looks at. */
export function storedRows({ customer, pages, truncates }: World): unknown {
  const stored: Record<string, unknown> = {};
  const holders = [
    ...Object.entries(customer.tables),
    ...[...pages.values()].map(({ table, rows }) => [table, rows] as const),
  ];
  for (const [table, rows] of holders) {
    for (const [key, row] of Object.entries(rows)) {
      if (row.at >= (truncates[table] ?? "")) stored[`${table} ${key}`] = row;
    }
  }
  return stored;
}
