/** From `slot` on, slots follow one another at `rate` per second, the first at `ms`. */
export interface Anchor {
  readonly slot: number;
  readonly ms: number;
  readonly rate: number;
}

/** When each slot of the bank's life happens. Slots before the first anchor, the snapshot's, all happen at its start. */
export interface Timeline {
  ms(slot: number): number;
  /** The first slot that has not happened yet at this time. */
  upTo(nowMs: number): number;
}

/**
 * A bank that is stopped for the night goes on in the morning with the morning's time, and what it did yesterday keeps
 * yesterday's: each start adds an anchor behind everything that may have been delivered, and never moves an earlier one.
 */
export function timeline(anchors: readonly Anchor[]): Timeline {
  const [first] = anchors;
  if (first === undefined) throw new Error("a timeline needs an anchor");
  const anchorOf = (slot: number) => anchors.findLast((anchor) => anchor.slot <= slot) ?? first;
  return {
    ms(slot) {
      const anchor = anchorOf(slot);
      return anchor.ms + Math.floor((Math.max(0, slot - anchor.slot) * 1_000) / anchor.rate);
    },
    upTo(nowMs) {
      const at = anchors.findLastIndex((candidate) => candidate.ms <= nowMs);
      const anchor = anchors[at];
      if (anchor === undefined) return 0;
      const slot = anchor.slot + Math.floor(((nowMs - anchor.ms) * anchor.rate) / 1_000) + 1;
      return Math.min(slot, anchors[at + 1]?.slot ?? slot);
    },
  };
}
