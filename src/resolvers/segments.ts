import type { Customer, SegmentState } from "../customer/customer.ts";
import type { SegmentPlan } from "../customer/plan.ts";
import type { CustomerFilter } from "../customer/values/filter.ts";
import { Customer360Error } from "../errors.ts";
import type { MemberCount } from "../store/reads.ts";
import type { Context } from "./context.ts";
import type { SegmentMember } from "./frames/frames.ts";
import { loadCounts } from "./loading.ts";
import { pageFrom, pageOf } from "./paging.ts";
import type { ListPage, PageArgs } from "./paging.ts";

/** The segment of that key. Throws NOT_FOUND that lists the keys there are. */
export function segment(context: Context, key: string): SegmentPlan {
  const found = context.plan.segments.find((each) => each.name === key);
  if (found) return found;
  const known = context.plan.segments.map((each) => each.name).join(", ");
  throw new Customer360Error("NOT_FOUND", `There is no segment ${JSON.stringify(key)}; there are: ${known}.`);
}

/** The tiers of a segment in their order; `IN` alone for a plain one, since nobody is listed as out of it. */
export function tiersOf(plan: SegmentPlan): readonly string[] {
  if (plan.when !== null) return ["IN"];
  const named = plan.tiers.map((tier) => tier.name);
  return plan.otherwise === null ? named : [...named, plan.otherwise];
}

/** The memberships a customer's document holds, in the order of the pipeline file. */
export function membershipsOf(
  context: Context,
  customer: Customer,
  states: readonly SegmentState["state"][] | null,
): readonly SegmentMember[] {
  return context.plan.segments.flatMap((plan) => {
    const state = customer.segments[plan.name];
    if (!state || (states !== null && !states.includes(state.state))) return [];
    return [{ customer, segment: plan.name, state }];
  });
}

/** One membership of a customer; null while the segment was never evaluated for it. Throws NOT_FOUND for an unknown key. */
export function membershipOf(context: Context, customer: Customer, key: string): SegmentMember | null {
  const state = customer.segments[segment(context, key).name];
  return state ? { customer, segment: key, state } : null;
}

/** How many customers each tier holds, every tier of the segment included. */
export async function memberCounts(
  context: Context,
  plan: SegmentPlan,
): Promise<readonly Omit<MemberCount, "segment">[]> {
  const { members } = await loadCounts(context.reads);
  return tiersOf(plan).map((tier) => ({
    tier,
    customers: members.find((count) => count.segment === plan.name && count.tier === tier)?.customers ?? 0,
  }));
}

/** The members of a segment, by customer id. `tier` null: of every tier. */
export async function members(
  context: Context,
  plan: SegmentPlan,
  args: PageArgs & { readonly tier?: string | null | undefined },
): Promise<ListPage<SegmentMember>> {
  const request = pageOf(args);
  const filter: CustomerFilter = {
    kind: "segment",
    segment: plan.name,
    in: args.tier === null || args.tier === undefined ? tiersOf(plan) : [args.tier],
  };
  const listing = await context.reads.listCustomers({
    filter,
    orderBy: { field: { kind: "id" }, direction: "asc" },
    ...request,
  });
  const items = listing.items.flatMap(({ item, cursor }) => {
    const state = item.segments[plan.name];
    return state ? [{ item: { customer: item, segment: plan.name, state }, cursor }] : [];
  });
  const total = () => context.reads.countCustomers(filter);
  return pageFrom({ items, hasNext: listing.hasNext }, request, { node: (member) => member, total });
}
