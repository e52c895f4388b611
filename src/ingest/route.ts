import type { Change, Origin, Position, Refusal } from "../cdc/change.ts";
import { listOf } from "../cdc/made-change.ts";
import { canMove, type TablePlan } from "../cdc/table.ts";
import { NOBODY } from "../customer/customer.ts";
import type { Place } from "../store/store.ts";

/**
 * PURE. Which customer a change concerns.
 *
 * Most changes name their customer, and a row mostly stays where it is. But rows move (an account is sold, a transaction
 * is posted to another month), and a delete often names nobody. Sending all changes of a row to its newest owner does not
 * converge: what a former owner's history and the columns of a partial change become then hangs on who arrived first.
 * So every version goes where it says it belongs, and everybody else who ever held the row gets a *departure*: a delete at
 * that position, which the guard of the row (cdc/positions/sequence, customer/judge) sorts in like any other, in any arrival order.
 * Whoever a change names learns the same from the other places that hold the row: a newcomer, and, where several processes
 * save into one store, somebody who was not known yet when the others were told.
 */

/** A change that cannot be routed. */
export interface Unroutable {
  readonly change: Change;
  readonly refusal: Refusal;
}

/** Where the changes of a batch go. */
export interface Routes {
  /** By customer id; the changes of a row in arrival order. */
  readonly changes: ReadonlyMap<string, readonly Change[]>;
  /** Deletes made here, not sent by anybody: applied, and counted as nothing. */
  readonly echoes: ReadonlySet<Change>;
  readonly refused: readonly Unroutable[];
}

/** What route looks at. Truncates concern a table, not a row: they are swept, not routed. */
export interface RouteInput {
  readonly changes: readonly Change[];
  readonly tables: ReadonlyMap<string, TablePlan>;
  /** Everywhere the rows of `changes` are held; of tables that do not move, nothing. */
  readonly places: readonly Place[];
}

/** The page that keeps rows nobody is known to own. */
const WAITING_PAGE = "waiting";

/** Ends the position of a departure; no position of a source holds it. */
const DEPARTED = "\u0001";

/** One place a row can be: a customer, and for a paged table a page. */
interface Spot {
  readonly customerId: string;
  readonly page: string | null;
}

interface Draft {
  readonly changes: Map<string, Change[]>;
  readonly echoes: Set<Change>;
  readonly refused: Unroutable[];
}

const nobodysSpot = (table: TablePlan): Spot => ({
  customerId: NOBODY,
  page: table.storage.kind === "paged" ? WAITING_PAGE : null,
});
const spotText = ({ customerId, page }: Spot): string =>
  page === null ? customerId : `${customerId}${DEPARTED}${page}`;
const isSame = (a: Spot, b: Spot): boolean => a.customerId === b.customerId && a.page === b.page;

/**
 * True when rows are held where their changes say, and nowhere else: then the places change nothing about the routes. That is how
 * it mostly is, and much faster found out than routed.
 */
export function isWhereNamed({ changes, tables, places }: RouteInput): boolean {
  if (places.length === 0) return true;
  const placesOf = byRow(places);
  for (const change of changes) {
    const held = placesOf.get(change.table)?.get(change.key);
    const table = tables.get(change.table);
    if (held === undefined || table === undefined) continue;
    const spot = namedSpot(change, table);
    if (spot === null || held.some((place) => !isSame(place, spot))) return false;
  }
  return true;
}

/** Sends each change to its customers. */
export function route({ changes, tables, places }: RouteInput): Routes {
  const draft: Draft = { changes: new Map(), echoes: new Set(), refused: [] };
  const moving = new Map<TablePlan, Map<string, Change[]>>();
  for (const change of changes) {
    const table = tables.get(change.table);
    if (table === undefined) throw new Error(`no table ${change.table}`);
    const refusal = refuse(change, table);
    if (refusal !== null) draft.refused.push({ change, refusal });
    else if (canMove(table)) group(moving, table, change);
    else send(draft, change, certainSpot(change, table));
  }
  if (moving.size > 0) {
    const placesOf = byRow(places);
    for (const [table, rows] of moving)
      for (const [key, versions] of rows)
        routeRow(draft, { table, versions, places: placesOf.get(table.name)?.get(key) ?? [] });
  }
  return draft;
}

function refuse(change: Change, table: TablePlan): Refusal | null {
  if (change.op !== "upsert") return null;
  if (change.customerId === null && (canMove(table) || table.key.length === 0))
    return { code: "missing-customer", reason: `column ${table.customer} names no customer`, rules: [] };
  if (table.storage.kind === "paged" && change.page === null)
    return {
      code: "missing-page",
      reason: `paging column ${table.storage.column} is null or absent`,
      rules: [],
    };
  return null;
}

/** Where a row that cannot move is: its key says so. */
function certainSpot(change: Change, table: TablePlan): Spot {
  if (change.customerId !== null) return { customerId: change.customerId, page: change.page };
  if (table.key.length === 0) return nobodysSpot(table);
  const [id]: unknown[] = JSON.parse(change.key);
  return { customerId: String(id), page: change.page };
}

function group(moving: Map<TablePlan, Map<string, Change[]>>, table: TablePlan, change: Change): void {
  let rows = moving.get(table);
  if (rows === undefined) moving.set(table, (rows = new Map()));
  const versions = rows.get(change.key);
  if (versions === undefined) rows.set(change.key, listOf(change));
  else versions.push(change);
}

function byRow(places: readonly Place[]): Map<string, Map<string, Place[]>> {
  const tables = new Map<string, Map<string, Place[]>>();
  for (const place of places) {
    let rows = tables.get(place.table);
    if (rows === undefined) tables.set(place.table, (rows = new Map()));
    const held = rows.get(place.key);
    if (held === undefined) rows.set(place.key, [place]);
    else held.push(place);
  }
  return tables;
}

/** The spot a change names itself, or null: a delete may name no customer, or not tell its page. */
function namedSpot({ customerId, page }: Change, table: TablePlan): Spot | null {
  if (customerId === null || (table.storage.kind === "paged" && page === null)) return null;
  return { customerId, page };
}

interface MovingRow {
  readonly table: TablePlan;
  readonly versions: readonly Change[];
  readonly places: readonly Place[];
}

function routeRow(draft: Draft, { table, versions, places }: MovingRow): void {
  const named = versions.map((change) => namedSpot(change, table));
  const spots: Spot[] = places.filter(({ customerId }) => customerId !== NOBODY);
  const learners: Spot[] = [];
  for (const spot of named) {
    if (spot === null || learners.some((other) => isSame(other, spot))) continue;
    learners.push(spot);
    if (!spots.some((other) => isSame(other, spot))) spots.push(spot);
  }
  if (spots.length === 0) spots.push(nobodysSpot(table));
  versions.forEach((change, index) => {
    const to = named[index] ?? null;
    if (to === null) sendEverywhere(draft, { change, spots, places });
    else {
      send(draft, change, to);
      for (const from of spots)
        if (!isSame(from, to)) leave(draft, { change, from, to, at: change.position });
    }
    if (index === 0) for (const learner of learners) learn(draft, { change, learner, places });
  });
}

function send({ changes }: Draft, change: Change, { customerId }: Spot): void {
  const sent = changes.get(customerId);
  if (sent === undefined) changes.set(customerId, listOf(change));
  else sent.push(change);
}

/** A delete that names no place concerns whoever holds the row; it is counted once, where the row is live. */
function sendEverywhere(
  draft: Draft,
  { change, spots, places }: { change: Change; spots: readonly Spot[]; places: readonly Place[] },
): void {
  const live = places.filter((place) => place.live && place.customerId !== NOBODY);
  const newest = live.reduce<Place | null>(
    (best, place) => (best === null || place.at > best.at ? place : best),
    null,
  );
  const owner = newest ?? spots[0];
  for (const spot of spots) {
    const copy: Change = { ...change, customerId: spot.customerId, page: spot.page };
    if (owner !== undefined && !isSame(spot, owner)) draft.echoes.add(copy);
    send(draft, copy, spot);
  }
}

interface Departure {
  /** The change that made us look: gives table and key. */
  readonly change: Change;
  readonly from: Spot;
  readonly to: Spot;
  /** Where the version that names `to` stands. */
  readonly at: Position;
}

/** What a version that names `to` means for somebody else who held the row. */
function leave(draft: Draft, departure: Departure): void {
  const { change, from, at } = departure;
  if (change.op === "upsert") depart(draft, departure);
  else echo(draft, { change, to: from, position: at, origin: LEARNED });
}

/**
 * Two customers named at one position: the greater text keeps the row, so the other's departure comes after,
 * and its own before.
 */
function depart(draft: Draft, { change, from, to, at }: Departure): void {
  const wins = spotText(to) > spotText(from);
  const position = `${wins ? at : justBelow(at)}${DEPARTED}${spotText(to)}`;
  echo(draft, { change, to: from, position, origin: change.origin });
}

/** Text that sorts below a position and above everything that stands below it. */
function justBelow(position: Position): Position {
  const last = position.charCodeAt(position.length - 1);
  return position.slice(0, -1) + String.fromCharCode(last - 1);
}

/** What a customer has to be told of a row: who else holds it since when, and when it was deleted elsewhere. */
function learn(
  draft: Draft,
  { change, learner, places }: { change: Change; learner: Spot; places: readonly Place[] },
): void {
  for (const place of places)
    if (isSame(place, learner)) continue;
    else if (place.live) depart(draft, { change, from: learner, to: place, at: place.at });
    else if (!place.at.includes(DEPARTED))
      echo(draft, { change, to: learner, position: place.at, origin: LEARNED });
}

/**
 * The origin of a delete that was heard of elsewhere. Standing outside of all partitions, it loses against an upsert at the same
 * position, whether it was heard of at once or learned later from a place, which does not tell where it was first seen.
 */
const LEARNED: Origin = { topic: "", partition: 0, offset: "0" };

function echo(
  draft: Draft,
  { change, to, position, origin }: { change: Change; to: Spot; position: Position; origin: Origin },
): void {
  const { table, key, ingestedMs } = change;
  const made: Change = {
    table,
    op: "delete",
    key,
    customerId: to.customerId,
    page: to.page,
    position,
    set: {},
    partial: false,
    origin,
    sourceMs: null,
    ingestedMs,
  };
  draft.echoes.add(made);
  send(draft, made, to);
}
