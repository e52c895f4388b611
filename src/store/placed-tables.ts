import { canMove } from "../cdc/table.ts";
import type { Plan } from "../customer/plan.ts";

/** Tables whose rows lie on pages. */
export function pagedTables({ tables }: Plan): ReadonlySet<string> {
  return new Set(tables.filter(({ storage }) => storage.kind === "paged").map(({ name }) => name));
}

/** Inline tables whose rows have places: a row of any other can be nowhere else, so nobody asks. */
export function soughtTables({ tables }: Plan): ReadonlySet<string> {
  return new Set(
    tables.filter((table) => table.storage.kind === "inline" && canMove(table)).map(({ name }) => name),
  );
}

/** Tables without a key: rows named by where they came from have no places. */
export function unplacedTables({ tables }: Plan): ReadonlySet<string> {
  return new Set(tables.filter(({ key }) => key.length === 0).map(({ name }) => name));
}
