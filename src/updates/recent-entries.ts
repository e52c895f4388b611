/** The newest entries published by this process, without holes: when another process published in between, it begins anew. */
export interface RecentEntries<E extends { readonly seq: number }> {
  /** Adds entries and drops those below `keptFrom`, which the stream no longer keeps. */
  add(entries: readonly E[], keptFrom: number): void;
  /** Entries after a number; null when there are none here, or not all. */
  after(seq: number, limit: number): readonly E[] | null;
}

/** Keeps at least `size` entries once there were so many, and at most twice as many; each has its number in the stream. */
export function recentEntries<E extends { readonly seq: number }>(size: number): RecentEntries<E> {
  let kept: E[] = [];
  return {
    add(entries, keptFrom) {
      const [first] = entries;
      if (first !== undefined && first.seq !== (kept.at(-1)?.seq ?? 0) + 1) kept = [];
      kept.push(...entries);
      const surplus = kept.length > 2 * size ? kept.length - size : 0;
      const stale = keptFrom - (kept[0]?.seq ?? keptFrom);
      const drop = Math.max(surplus, stale);
      if (drop > 0) kept = kept.slice(drop);
    },
    after(seq, limit) {
      const first = kept[0]?.seq;
      const from = first === undefined ? -1 : seq + 1 - first;
      return from < 0 || from >= kept.length ? null : kept.slice(from, from + limit);
    },
  };
}
