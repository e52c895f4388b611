import type { Change } from "../cdc/change.ts";
import { canMove } from "../cdc/table.ts";
import type { Place } from "../store/store.ts";
import type { Folded } from "./apply.ts";
import type { Gathered } from "./load.ts";
import type { Shell } from "./shell.ts";

/** What a round came to. */
export interface Round {
  /** The changes it was about. */
  readonly changes: readonly Change[];
  readonly gathered: Gathered;
  /** Customers whose save was a conflict. */
  readonly lost: readonly Folded[];
}

/**
 * The changes that have to go the way again, since somebody else saved meanwhile: those of rows whose customers were lost, for
 * such rows may have moved; and, where several processes save into one store, those of rows that another process placed
 * elsewhere at the same moment, and of tables it truncated.
 *
 * Compare-and-set guards a document, not what lies between two: processes that place one row with two customers collide nowhere.
 * But each saves first and looks after, so whoever looks last sees both places, and tells either of the other.
 */
export async function again(shell: Shell, round: Round): Promise<readonly Change[]> {
  const { changes, lost } = round;
  const rows = new Set(lost.flatMap(({ input }) => input.changes.map(rowId)));
  const tables = new Set<string>();
  if (shell.store.shared && changes.length > 0) await lookAround(shell, round, { rows, tables });
  return changes.filter((change) => tables.has(change.table) || rows.has(rowId(change)));
}

const rowId = ({ table, key }: Pick<Change, "table" | "key">): string => `${table}\u0000${key}`;
const spotId = (row: Pick<Place, "table" | "key" | "customerId" | "page">): string =>
  `${rowId(row)}\u0000${row.customerId}\u0000${row.page ?? ""}`;
const isSame = (a: Place, b: Place | undefined): boolean => a.at === b?.at && a.live === b.live;

/** Adds the rows that are elsewhere otherwise than was seen when they were loaded, and the tables truncated since. */
async function lookAround(
  { store, tables: plans }: Shell,
  { gathered: { routes, seen } }: Round,
  { rows, tables }: { readonly rows: Set<string>; readonly tables: Set<string> },
): Promise<void> {
  const before = new Map(seen.places.map((place) => [spotId(place), place]));
  const settled = settledRows(seen.places);
  const made = new Set<string>();
  const keys = new Map<string, Set<string>>();
  for (const [customerId, sent] of routes.changes)
    for (const { table, key, page } of sent) {
      const plan = plans.get(table);
      const row = { table, key, customerId, page };
      const spot = spotId(row);
      if (plan === undefined || !canMove(plan) || settled.get(rowId(row)) === spot) continue;
      if (!before.has(spot)) made.add(spot);
      keys.set(table, (keys.get(table) ?? new Set()).add(key));
    }
  const asked = [...keys].map(([table, wanted]) => [table, [...wanted]] as const);
  const { places, truncates } = await store.load({
    customers: [],
    pages: [],
    keys: Object.fromEntries(asked),
  });
  for (const place of places) {
    const spot = spotId(place);
    if (!made.has(spot) && !isSame(place, before.get(spot))) rows.add(rowId(place));
  }
  for (const [table, at] of Object.entries(truncates)) if (seen.truncates[table] !== at) tables.add(table);
}

/**
 * Rows with one place, where they are live, by that place. A change that stays there needs no look: whoever moves the row
 * elsewhere meanwhile has to tell this place, and that is a conflict for one of the two.
 */
function settledRows(places: readonly Place[]): ReadonlyMap<string, string> {
  const settled = new Map<string, string>();
  for (const place of places) {
    const row = rowId(place);
    settled.set(row, place.live && !settled.has(row) ? spotId(place) : "");
  }
  return settled;
}
