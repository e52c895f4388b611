import { sameValue } from "../cdc/values.ts";
import type {
  Announcement,
  Customer,
  OfferState,
  OfferTransition,
  Rows,
  SegmentTransition,
} from "./customer.ts";
import { sameVisibly } from "./fold.ts";
import { standingIn } from "./segments.ts";

/** What differs between two versions of a customer, for those who read it. */
export type Difference = Pick<Announcement, "changed" | "segments" | "offers">;

/**
 * Names the fields in which two versions differ visibly, sorted: setting them in `before` to what they are in `after` gives
 * `after`. `pagedTables` are the paged tables whose rows differ, which the documents themselves do not hold.
 */
export function diff(before: Customer, after: Customer, pagedTables: ReadonlySet<string>): Difference {
  const changed = [...pagedTables];
  for (const table of namesIn(before.tables, after.tables)) {
    if (!sameRows(before.tables[table], after.tables[table])) changed.push(table);
  }
  for (const name of namesIn(before.metrics, after.metrics)) {
    const old = before.metrics[name];
    const value = after.metrics[name];
    if (old === undefined || value === undefined || !sameValue(old, value)) changed.push(`metrics.${name}`);
  }
  const segments: SegmentTransition[] = [];
  for (const segment of namesIn(before.segments, after.segments)) {
    const old = before.segments[segment];
    const now = after.segments[segment];
    if (old === now) continue;
    changed.push(`segments.${segment}`);
    if (now === undefined || (old !== undefined && standingIn(old) === standingIn(now))) continue;
    segments.push({ segment, from: old === undefined ? null : standingIn(old), to: standingIn(now) });
  }
  const offers: OfferTransition[] = [];
  for (const offer of namesIn(before.offers, after.offers)) {
    const old = before.offers[offer];
    const now = after.offers[offer];
    if (sameOffer(old, now)) continue;
    changed.push(`offers.${offer}`);
    if (now !== undefined) offers.push({ offer, from: old?.state ?? null, to: now.state });
  }
  return { changed: changed.sort(), segments, offers };
}

type Named = Readonly<Record<string, unknown>>;

/** All names in either; none at all when both are the very same object. */
function namesIn(before: Named, after: Named): readonly string[] {
  if (before === after) return [];
  const names = Object.keys(after);
  for (const name in before) if (!(name in after)) names.push(name);
  return names;
}

function sameRows(before: Rows = {}, after: Rows = {}): boolean {
  return namesIn(before, after).every((key) => sameVisibly(before[key], after[key]));
}

function sameOffer(a: OfferState | undefined, b: OfferState | undefined): boolean {
  if (a === b) return true;
  return a?.state === b?.state && a?.triggeredMs === b?.triggeredMs && a?.because === b?.because;
}
