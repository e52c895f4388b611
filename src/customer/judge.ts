import type { Change, Position, Verdict } from "../cdc/change.ts";
import { samePartition } from "../cdc/partition.ts";
import type { Row } from "./customer.ts";
import { barrierOf } from "./parts.ts";
import { compareOffsets, sameContent } from "./ties.ts";

/**
 * What can be said of a change by looking at its row's head: a verdict that settles it, `replaces` when it makes the row anew,
 * or `joins` when it has to be joined with the row part by part.
 */
export type Ruling = Exclude<Verdict, "applied"> | "replaces" | "joins";

/** Rules on a change against the row it concerns (undefined for none), and the table's truncate watermark. */
export function judge(row: Row | undefined, change: Change, watermark: Position | undefined): Ruling {
  const { position } = change;
  if (watermark !== undefined && position < watermark) return "blocked-by-truncate";
  const whole = change.op === "delete" || !change.partial;
  if (row === undefined || position > row.at) return whole ? "replaces" : "joins";
  if (row.parts === undefined) {
    if (position < row.at) return behind(row.live, change);
    return isRepeat(row, change) ? "duplicate" : "joins";
  }
  if (position >= barrierOf(row.parts)) return "joins";
  const newest = row.parts.filter((part) => part.at === barrierOf(row.parts ?? []));
  return behind(
    newest.every((part) => part.set !== null),
    change,
  );
}

/** Below a delete an upsert is kept out by it; anything else is just late. */
function behind(live: boolean, change: Change): Verdict & Ruling {
  return live || change.op === "delete" ? "late" : "blocked-by-delete";
}

/** The very content the row was made by, seen again where it was seen first or later. */
function isRepeat(row: Row, { op, set, partial, origin }: Change): boolean {
  const stored = { set: row.live ? row.values : null, whole: row.live };
  const repeated = op === "delete" ? { set: null, whole: false } : { set, whole: !partial };
  return (
    sameContent(stored, repeated) &&
    samePartition(row.origin, origin) &&
    compareOffsets(row.origin.offset, origin.offset) <= 0
  );
}
