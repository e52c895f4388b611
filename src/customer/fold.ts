import type { Change, Position, Verdict } from "../cdc/change.ts";
import type { Row } from "./customer.ts";
import { judge } from "./judge.ts";
import { above, join, partOf, partsOf, settle } from "./parts.ts";
import { sameValues } from "./values/compare.ts";

/** What became of one row. */
export interface FoldedRow {
  /** The very same row when nothing stored changed; undefined when the row is gone from store (below a truncate). */
  readonly row: Row | undefined;
  readonly verdict: Verdict;
  /** True when another content claims the same position. */
  readonly conflict: boolean;
}

/** Folds an upsert or delete into its row. `watermark` is the position of the table's newest truncate. */
export function fold(stored: Row | undefined, change: Change, watermark: Position | undefined): FoldedRow {
  const row = stored === undefined ? undefined : above(stored, watermark);
  const ruling = judge(row, change, watermark);
  if (ruling === "replaces") return { row: replacement(change), verdict: "applied", conflict: false };
  if (ruling === "joins") return joined(row, change);
  return { row, verdict: ruling, conflict: false };
}

function replacement(change: Change): Row {
  const live = change.op === "upsert";
  return { at: change.position, live, values: live ? change.set : NOTHING, origin: change.origin };
}

const NOTHING = Object.freeze({});

function joined(row: Row | undefined, change: Change): FoldedRow {
  const part = partOf(change);
  const before = row === undefined ? [] : partsOf(row);
  const { parts, known, rivalled } = join(before, part);
  if (row !== undefined && parts === before) return { row, verdict: "duplicate", conflict: false };
  const settled = settle(parts);
  if (row !== undefined && !settled.kept.includes(part)) return { row, verdict: "late", conflict: rivalled };
  if (known) return { row: settled.row, verdict: "duplicate", conflict: false };
  const applied = row === undefined || settled.owners.has(part) || !sameVisibly(row, settled.row);
  return { row: settled.row, verdict: applied ? "applied" : "late", conflict: rivalled };
}

/** True when nobody who reads the row can tell the two apart. */
export function sameVisibly(a: Row | undefined, b: Row | undefined): boolean {
  if (a === b) return true;
  const left = a?.live === true ? a.values : null;
  const right = b?.live === true ? b.values : null;
  return left === null || right === null ? left === right : sameValues(left, right);
}
