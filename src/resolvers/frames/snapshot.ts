import type { Customer } from "../../customer/customer.ts";
import type { Plan, SegmentPlan } from "../../customer/plan.ts";
import type { CustomerFilter } from "../../customer/values/filter.ts";
import type { Reads } from "../../store/reads.ts";
import type { Watch } from "../../updates/watch.ts";
import type { CustomerOffer, SegmentMember, SnapshotItems } from "./frames.ts";

/** Customers, or offers, listed in one Snapshot frame at most. */
export const SNAPSHOT_PAGE = 200;

/** One frame's worth of a snapshot. */
export interface SnapshotPage {
  readonly items: SnapshotItems;
  /** The documents it was made from: each customer is shown as of its revision. */
  readonly customers: readonly Customer[];
  /** Where the next page begins; null when this was the last. */
  readonly next: string | null;
}

/** What the reader needs of a request's context. */
export interface SnapshotSource {
  readonly reads: Reads;
  readonly plan: Plan;
}

/** Reads what a watch shows now, from a page on ("" for the first). */
export function readSnapshot(source: SnapshotSource, watch: Watch, page: string): Promise<SnapshotPage> {
  switch (watch.field) {
    case "customerUpdates":
      return oneCustomer(source.reads, watch.customerId);
    case "customersUpdates":
      return customersPage(source.reads, watch.filter, page);
    case "segmentUpdates":
      return membersPage(source, watch, page);
    case "offerUpdates":
      return offersPage(source.reads, watch, page);
  }
}

async function oneCustomer(reads: Reads, customerId: string): Promise<SnapshotPage> {
  const customers = await known(reads, [customerId]);
  return { items: { of: "customers", customers }, customers, next: null };
}

async function customersPage(
  reads: Reads,
  filter: CustomerFilter | null,
  page: string,
): Promise<SnapshotPage> {
  const { customers, next } = await list(reads, filter, page);
  return { items: { of: "customers", customers }, customers, next };
}

async function membersPage(
  { reads, plan }: SnapshotSource,
  watch: Watch & { field: "segmentUpdates" },
  page: string,
): Promise<SnapshotPage> {
  const wanted = plan.segments.filter(({ name }) => watch.segments?.includes(name) ?? true);
  const { customers, next } =
    watch.customerId === null
      ? await list(reads, { kind: "or", filters: wanted.map(inSegment) }, page)
      : { customers: await known(reads, [watch.customerId]), next: null };
  const members: SegmentMember[] = [];
  for (const customer of customers) {
    for (const { name } of wanted) {
      const state = customer.segments[name];
      if (state?.state === "IN") members.push({ customer, segment: name, state });
    }
  }
  return { items: { of: "segments", members }, customers, next };
}

async function offersPage(
  reads: Reads,
  watch: Watch & { field: "offerUpdates" },
  page: string,
): Promise<SnapshotPage> {
  const { customerId, states } = watch;
  const listing = await reads.listOffers({
    customerId,
    offers: watch.offers,
    states,
    first: SNAPSHOT_PAGE,
    after: page === "" ? null : page,
  });
  const customers = await known(reads, [...new Set(listing.items.map(({ item }) => item.customerId))]);
  const byId = new Map(customers.map((customer) => [customer.customerId, customer]));
  const offers: CustomerOffer[] = [];
  for (const { item } of listing.items) {
    // The document is read after the list: what it says now is what its revision, and so the stream after it, goes on from.
    const customer = byId.get(item.customerId);
    const state = customer?.offers[item.offer];
    if (customer === undefined || state === undefined) continue;
    if (states?.includes(state.state) ?? true) offers.push({ customer, offer: item.offer, state });
  }
  return { items: { of: "offers", offers }, customers, next: nextOf(listing) };
}

async function known(reads: Reads, ids: readonly string[]): Promise<readonly Customer[]> {
  if (ids.length === 0) return [];
  return (await reads.customers(ids)).filter((customer) => customer !== null);
}

async function list(reads: Reads, filter: CustomerFilter | null, page: string) {
  const listing = await reads.listCustomers({
    filter,
    orderBy: { field: { kind: "id" }, direction: "asc" },
    first: SNAPSHOT_PAGE,
    after: page === "" ? null : page,
  });
  return { customers: listing.items.map(({ item }) => item), next: nextOf(listing) };
}

function nextOf(listing: {
  readonly items: readonly { readonly cursor: string }[];
  readonly hasNext: boolean;
}) {
  return listing.hasNext ? (listing.items.at(-1)?.cursor ?? null) : null;
}

function inSegment(segment: SegmentPlan): CustomerFilter {
  const tiers = segment.tiers.map(({ name }) => name);
  const all = segment.otherwise === null ? tiers : [...tiers, segment.otherwise];
  return { kind: "segment", segment: segment.name, in: segment.when === null ? all : ["IN"] };
}
