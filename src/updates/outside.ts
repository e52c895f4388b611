import type { Slot } from "./ring.ts";
import type { StreamCursor, StreamEntry } from "./updates.ts";

/** Slots for entries older than the ring; their numbers order them among themselves only. */
export class Outside {
  readonly #pages = new WeakMap<readonly StreamEntry[], readonly Slot[]>();

  /** The slots of a page behind a cursor. Many who come back at the same time may be given one page, and share what is made of it. */
  slots(entries: readonly StreamEntry[], at: StreamCursor): readonly Slot[] {
    const known = this.#pages.get(entries);
    if (known !== undefined && known[0]?.before === at) return known;
    let before = at;
    const slots = entries.map((entry, index): Slot => {
      const slot = { entry, seq: index - entries.length, before };
      before = entry.cursor;
      return slot;
    });
    this.#pages.set(entries, slots);
    return slots;
  }
}
