import type { StreamCursor, StreamEntry } from "./updates.ts";

/** An entry in the order this process read it. */
export interface Slot {
  readonly entry: StreamEntry;
  /** Rises by one with each entry read. */
  readonly seq: number;
  /** The place right before this entry: resuming there brings the entry. */
  readonly before: StreamCursor;
}

/** A place in the stream as this process has read it: everything up to `seq`, whose cursor is `at`. */
export interface Place {
  readonly at: StreamCursor;
  readonly seq: number;
}

/** The newest entries of the stream, so that who was away shortly goes on without asking the Updates port. */
export interface Ring {
  /** Takes the next entry of the stream. */
  push(entry: StreamEntry): Slot;
  /** Passes over an entry that is not worth keeping. */
  skip(at: StreamCursor): void;
  /** The end of what was read. */
  place(): Place;
  /** The slots after a sequence number, at most so many; null when some of them were dropped already. */
  after(seq: number, limit: number): readonly Slot[] | null;
  /**
   * The sequence number up to which a cursor includes everything, when all it does not include is in the ring; null when that lies
   * outside. Behind that number there may be entries it includes as well, where it is of another reader.
   */
  find(at: StreamCursor, compare: (a: StreamCursor, b: StreamCursor) => number | null): number | null;
  /** Forgets every slot and goes on from a cursor; sequence numbers keep rising. */
  restart(at: StreamCursor): Place;
}

/** A ring of so many entries, beginning at a cursor. */
export function createRing(at: StreamCursor, capacity: number): Ring {
  let slots: (Slot | undefined)[] = [];
  let tail: Place = { at, seq: 0 };
  let firstSeq = 1;
  const oldest = () => Math.max(firstSeq, tail.seq - capacity + 1);
  const slotAt = (seq: number): Slot => {
    const slot = slots[seq % capacity];
    if (slot === undefined) throw new Error(`ring: no slot ${seq}`);
    return slot;
  };
  return {
    push(entry) {
      const slot: Slot = { entry, seq: tail.seq + 1, before: tail.at };
      slots[slot.seq % capacity] = slot;
      tail = { at: entry.cursor, seq: slot.seq };
      return slot;
    },
    skip(next) {
      tail = { at: next, seq: tail.seq };
    },
    place: () => tail,
    after(seq, limit) {
      if (seq + 1 < oldest()) return null;
      const found: Slot[] = [];
      const end = Math.min(tail.seq, seq + limit);
      for (let next = seq + 1; next <= end; next++) found.push(slotAt(next));
      return found;
    },
    find(wanted, compare) {
      const toTail = compare(wanted, tail.at);
      if (toTail === 0) return tail.seq;
      let low = oldest();
      let high = tail.seq;
      const isIncluded = (at: StreamCursor) => (compare(at, wanted) ?? 1) <= 0;
      if (low > high || !((toTail ?? 1) < 0) || !isIncluded(slotAt(low).before)) return null;
      while (low <= high) {
        const middle = (low + high) >> 1;
        if (isIncluded(slotAt(middle).entry.cursor)) low = middle + 1;
        else high = middle - 1;
      }
      return high;
    },
    restart(next) {
      slots = [];
      // A number nobody holds yet: whoever read up to the old end must not take the new beginning for what comes next.
      tail = { at: next, seq: tail.seq + 1 };
      firstSeq = tail.seq + 1;
      return tail;
    },
  };
}
