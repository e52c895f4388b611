import type { Customer } from "../../../customer/customer.ts";
import { NOBODY } from "../../../customer/customer.ts";
import { countNoted, isAnyLive } from "../../../customer/live-rows.ts";
import { fieldName, keptText, orderedText } from "./names.ts";
import type { Stored } from "./values.ts";

/** What a document holds beside the customer itself, made from it in the same write, as stored: what it is found by. */
export interface Derived extends Stored {
  /** Paged tables with the number of live rows noted: all that readers are told of the notes. */
  readonly noted: Readonly<Record<string, number>>;
  /** Tables it shows live rows of. */
  readonly holds: readonly string[];
  /** Its offers, to be listed. */
  readonly offered: readonly { readonly o: string; readonly s: string; readonly t: number }[];
}

/** What a document is found by. */
export function derivedOf({ customerId, tables, notes, offers }: Customer): Derived {
  const noted: Record<string, number> = {};
  const holds = new Set<string>();
  for (const [table, rows] of Object.entries(tables)) if (isAnyLive(rows)) holds.add(keptText(table));
  for (const [table, pages] of Object.entries(notes)) {
    const live = countNoted(pages);
    noted[fieldName(table)] = live;
    if (live > 0) holds.add(keptText(table));
  }
  const offered = customerId === NOBODY ? [] : Object.entries(offers);
  return {
    noted,
    holds: [...holds].sort(),
    offered: offered.map(([offer, { state, triggeredMs }]) => ({
      o: orderedText(offer),
      s: state,
      t: triggeredMs,
    })),
  };
}

/** True when nothing that `derivedOf` looks at differs. */
export function sharesDerived(before: Customer, after: Customer): boolean {
  return before.tables === after.tables && before.notes === after.notes && before.offers === after.offers;
}

/** An entry of `places`: the table and the key of an inline row. */
export function placeText(table: string, key: string): string {
  return keptText(`${JSON.stringify(table)}${key}`);
}

/** Places to add for rows that are new in a document; places of rows that are gone stay, and lead nowhere. */
export function newPlaces(
  sought: ReadonlySet<string>,
  before: Customer["tables"],
  after: Customer["tables"],
): readonly string[] {
  if (before === after) return [];
  const places: string[] = [];
  for (const table of sought) {
    const now = after[table];
    const old = before[table] ?? {};
    if (now === undefined || now === old) continue;
    for (const key of Object.keys(now)) if (!Object.hasOwn(old, key)) places.push(placeText(table, key));
  }
  return places;
}
