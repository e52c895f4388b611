import type { Announcement } from "../customer.ts";

/** One transition per name, from where the first began to where the last ended. */
export function through<T extends { readonly from: unknown }>(
  older: readonly T[],
  newer: readonly T[],
  nameOf: (transition: T) => string,
): readonly T[] {
  if (newer.length === 0) return older;
  if (older.length === 0) return newer;
  const byName = new Map(older.map((transition) => [nameOf(transition), transition]));
  for (const transition of newer) {
    const before = byName.get(nameOf(transition));
    byName.set(nameOf(transition), before === undefined ? transition : { ...transition, from: before.from });
  }
  return [...byName.values()];
}

/** The names in either list, sorted unless the older one has them all. */
export function union(older: readonly string[], newer: readonly string[]): readonly string[] {
  const added = newer.filter((path) => !older.includes(path));
  return added.length === 0 ? older : [...older, ...added].sort();
}

/**
 * An outbox of at most so many announcements: the newest one takes those before it in, so that what cannot be told for a long time
 * does not grow with every save. Only the newest, which was never told yet: under one revision nobody is told two things.
 */
export function boundOutbox(outbox: readonly Announcement[], most: number): readonly Announcement[] {
  if (outbox.length <= most) return outbox;
  const folded = outbox.slice(most - 1).reduce((older, newer) => ({
    ...newer,
    changed: union(older.changed, newer.changed),
    segments: through(older.segments, newer.segments, ({ segment }) => segment),
    offers: through(older.offers, newer.offers, ({ offer }) => offer),
  }));
  return [...outbox.slice(0, most - 1), folded];
}
