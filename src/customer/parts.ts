import type { Change, Position, Value } from "../cdc/change.ts";
import { samePartition } from "../cdc/partition.ts";
import type { Part, Row } from "./customer.ts";
import { compareOffsets, compareParts, sameContent, winner } from "./ties.ts";

/**
 * Rows that no single change explains. Their state is a set of parts joined like this: a part is added, repeats keep the least
 * offset, and what can never matter again is dropped. Adding is associative, commutative and idempotent, whence any order of
 * arrival ends in the same row.
 */

/** What a change contributes. */
export function partOf(change: Change): Part {
  const set = change.op === "delete" ? null : change.set;
  return { at: change.position, origin: change.origin, set, whole: set !== null && !change.partial };
}

/** All parts of a row; the one change it was made by when it has none of its own. */
export function partsOf(row: Row): readonly Part[] {
  const { at, origin, live, values } = row;
  return row.parts ?? [{ at, origin, set: live ? values : null, whole: live }];
}

/** The position below which nothing of a row is left: its newest delete or whole change. */
export function barrierOf(parts: readonly Part[]): Position {
  let barrier = "";
  for (const part of parts) if ((part.set === null || part.whole) && part.at > barrier) barrier = part.at;
  return barrier;
}

/** What adding a part came to. */
export interface Joined {
  /** The very same array when it was all known before. */
  readonly parts: readonly Part[];
  /** True when this content was known at this position. */
  readonly known: boolean;
  /** True when another content was. */
  readonly rivalled: boolean;
}

/** Adds a part to a set of parts. */
export function join(parts: readonly Part[], added: Part): Joined {
  const level = parts.filter((part) => part.at === added.at);
  const equals = level.filter((part) => sameContent(part, added));
  const known = equals.length > 0;
  const rivalled = level.length > equals.length;
  const twin = equals.find((part) => samePartition(part.origin, added.origin));
  if (twin === undefined) return { parts: [...parts, added], known, rivalled };
  if (compareOffsets(twin.origin.offset, added.origin.offset) <= 0) return { parts, known, rivalled };
  return { parts: parts.map((part) => (part === twin ? added : part)), known, rivalled };
}

/** What parts come to: their row, the parts that can still matter, and those of them that decided something in it. */
export interface Settled {
  readonly row: Row;
  readonly kept: readonly Part[];
  readonly owners: ReadonlySet<Part>;
}

/** Settles what a set of parts (at least one) comes to. */
export function settle(parts: readonly Part[]): Settled {
  const barrier = barrierOf(parts);
  const standing = parts.filter((part) => part.at >= barrier).sort(compareParts);
  const heads = columnHeads(standing);
  const at = standing.reduce((greatest, part) => (part.at > greatest ? part.at : greatest), "");
  const kept = standing.filter((part) => isRelevant(part, { at, barrier, heads }));
  const presence = winner(kept.filter((part) => part.at === at));
  if (presence === undefined) throw new Error("a row needs at least one part");
  const owners = new Set([presence]);
  const values: Record<string, Value> = {};
  for (const [column, head] of heads) {
    const owner = winner(kept.filter((part) => part.at === head && carries(part, column)));
    if (owner === undefined) continue;
    owners.add(owner);
    const value = owner.set?.[column];
    if (value !== undefined) values[column] = value;
  }
  const live = presence.set !== null;
  const row: Row = { at, live, values: live ? values : {}, origin: presence.origin };
  const simple = kept.length === 1 && (presence.set === null || presence.whole);
  return { row: simple ? row : { ...row, parts: kept }, kept, owners };
}

/** Columns of a row standing behind its newest change, with their own positions; empty for most rows. */
export function headsBehind(row: Row): Readonly<Record<string, Position>> {
  const behind: Record<string, Position> = {};
  if (row.parts === undefined) return behind;
  for (const [column, head] of columnHeads(row.parts)) {
    if (head < row.at && row.values[column] !== undefined) behind[column] = head;
  }
  return behind;
}

/** What is left of a row once a truncate took everything below its position; undefined for nothing. */
export function above(row: Row, watermark: Position | undefined): Row | undefined {
  if (watermark === undefined) return row;
  if (row.at < watermark) return undefined;
  if (row.parts === undefined || row.parts.every((part) => part.at >= watermark)) return row;
  return settle(row.parts.filter((part) => part.at >= watermark)).row;
}

/** A delete, and a whole change, speak for every column. */
function carries(part: Part, column: string): boolean {
  return part.set === null || part.whole || part.set[column] !== undefined;
}

/** For each column the newest position of a part that carries it. */
function columnHeads(parts: readonly Part[]): Map<string, Position> {
  const barrier = barrierOf(parts);
  const heads = new Map<string, Position>();
  for (const { set, at } of parts) {
    for (const column in set) {
      const head = heads.get(column) ?? barrier;
      heads.set(column, at > head ? at : head);
    }
  }
  return heads;
}

interface Standing {
  readonly at: Position;
  readonly barrier: Position;
  readonly heads: ReadonlyMap<string, Position>;
}

/** A part below the newest one matters while it is the barrier, or one of its columns stands at its position. */
function isRelevant(part: Part, { at, barrier, heads }: Standing): boolean {
  if (part.at === at || ((part.set === null || part.whole) && part.at === barrier)) return true;
  for (const column in part.set) if (heads.get(column) === part.at) return true;
  return false;
}
