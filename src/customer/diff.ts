import { sameValue } from "../cdc/columns/values.ts";
import type {
  Announcement,
  Customer,
  OfferState,
  OfferTransition,
  Rows,
  SegmentTransition,
} from "./customer.ts";
import { standingIn } from "./derived/segments.ts";
import { sameVisibly } from "./fold.ts";

/** What differs between two versions of a customer, for those who read it. */
export type Difference = Pick<Announcement, "changed" | "segments" | "offers">;

/** The parts of a customer that readers see. */
export type Shown = Pick<Customer, "tables" | "metrics" | "segments" | "offers">;

/**
 * Names the fields in which two versions differ visibly, sorted: setting them in `before` to what they are in `after` gives
 * `after`. `pagedTables` are the paged tables whose rows differ, which the documents themselves do not hold.
 */
export function diff(before: Shown, after: Shown, pagedTables: readonly string[]): Difference {
  const changed = pagedTables.slice();
  for (const table of namesIn(before.tables, after.tables)) {
    if (!sameRows(before.tables[table], after.tables[table])) changed.push(table);
  }
  for (const name of namesIn(before.metrics, after.metrics)) {
    const old = before.metrics[name];
    const value = after.metrics[name];
    if (old === undefined || value === undefined || !sameValue(old, value))
      changed.push(path("metrics", name));
  }
  const segments = diffSegments(before.segments, after.segments, changed);
  const offers = diffOffers(before.offers, after.offers, changed);
  return { changed: sorted(changed), segments, offers };
}

function diffSegments(
  before: Shown["segments"],
  after: Shown["segments"],
  changed: string[],
): readonly SegmentTransition[] {
  if (before === after) return NONE;
  const transitions: SegmentTransition[] = [];
  for (const segment of namesIn(before, after)) {
    const old = before[segment];
    const now = after[segment];
    if (old === now) continue;
    changed.push(path("segments", segment));
    const from = old === undefined ? null : standingIn(old);
    if (now !== undefined && from !== standingIn(now))
      transitions.push({ segment, from, to: standingIn(now) });
  }
  return transitions;
}

function diffOffers(
  before: Shown["offers"],
  after: Shown["offers"],
  changed: string[],
): readonly OfferTransition[] {
  if (before === after) return NONE;
  const transitions: OfferTransition[] = [];
  for (const offer of namesIn(before, after)) {
    const old = before[offer];
    const now = after[offer];
    if (sameOffer(old, now)) continue;
    changed.push(path("offers", offer));
    if (now !== undefined) transitions.push({ offer, from: old?.state ?? null, to: now.state });
  }
  return transitions;
}

const NONE: readonly never[] = [];

/** Texts made so far by name, so that announcements share them: as many as pipelines have metrics, segments and offers. */
const paths = {
  metrics: new Map<string, string>(),
  segments: new Map<string, string>(),
  offers: new Map<string, string>(),
};

function path(part: keyof typeof paths, name: string): string {
  let text = paths[part].get(name);
  if (text === undefined) paths[part].set(name, (text = `${part}.${name}`));
  return text;
}

/** Sorts a handful of names in place; the built-in sort allocates more than all else here. */
function sorted(names: string[]): readonly string[] {
  for (let from = 1; from < names.length; from++) {
    const name = names[from] as string;
    let at = from;
    for (; at > 0 && (names[at - 1] as string) > name; at--) names[at] = names[at - 1] as string;
    names[at] = name;
  }
  return names;
}

type Named = Readonly<Record<string, unknown>>;

/** All names in either; none at all when both are the very same object. */
function namesIn(before: Named, after: Named): readonly string[] {
  if (before === after) return NONE;
  const names = Object.keys(after);
  for (const name in before) if (!(name in after)) names.push(name);
  return names;
}

const NO_ROWS: Rows = Object.freeze({});

function sameRows(before: Rows = NO_ROWS, after: Rows = NO_ROWS): boolean {
  if (before === after) return true;
  for (const key in after) if (!sameVisibly(before[key], after[key])) return false;
  for (const key in before) if (!(key in after) && !sameVisibly(before[key], undefined)) return false;
  return true;
}

function sameOffer(a: OfferState | undefined, b: OfferState | undefined): boolean {
  if (a === b) return true;
  return a?.state === b?.state && a?.triggeredMs === b?.triggeredMs && a?.because === b?.because;
}
