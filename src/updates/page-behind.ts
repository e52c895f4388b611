import type { Place, Ring, Slot } from "./ring.ts";
import type { StreamCursor, Updates } from "./updates.ts";

/** Slots of the ring behind a place. */
export interface PageBehind {
  readonly slots: readonly Slot[];
  /** Null where to go on cannot be said by a number yet: go on from the cursor of the last slot. */
  readonly place: Place | null;
}

/**
 * The slots behind a place of this reader, or behind a cursor that may be of another one and then includes everything up to `seq`. Such a
 * reader can have come further in one part of the stream and less far in another. What its cursor includes is left out, and the others get
 * cursors that go on including it, until this reader has passed all that it had.
 */
export function pageBehind(
  from: { readonly at: StreamCursor; readonly seq: number | null },
  seq: number,
  { ring, updates, limit }: { readonly ring: Ring; readonly updates: Updates; readonly limit: number },
): PageBehind | null {
  const slots = ring.after(seq, from.seq === null ? Infinity : limit);
  if (slots === null) return null;
  const found: Slot[] = [];
  let place: Place = { at: from.at, seq };
  let isPassed = from.seq !== null;
  for (const slot of slots) {
    if (found.length === limit) break;
    const { cursor } = slot.entry;
    const at = isPassed ? cursor : updates.onward(place.at, cursor);
    if (at !== null)
      found.push(at === cursor ? slot : { ...slot, before: place.at, entry: { ...slot.entry, cursor: at } });
    place = { at: at ?? place.at, seq: slot.seq };
    isPassed ||= (updates.compare(from.at, cursor) ?? 1) <= 0;
  }
  // Behind the end of the ring nothing is left that the cursor could include.
  return { slots: found, place: isPassed || place.seq === ring.place().seq ? place : null };
}
