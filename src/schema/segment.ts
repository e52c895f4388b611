import type { SegmentPlan } from "../customer/plan.ts";
import { memberCounts, members, segment, tiersOf } from "../resolvers/segments.ts";
import { connection, pageArgs } from "./connection.ts";
import { instantText } from "./instant.ts";
import { described } from "./surface.ts";
import type { Surface } from "./surface.ts";

/** The enums of memberships. */
export type SegmentEnums = ReturnType<typeof declareSegmentEnums>;

/** Declares MembershipState, Tier (every tier of every segment) and one enum per tiered segment. */
export function declareSegmentEnums({ builder, plan, names }: Surface) {
  const membershipState = builder.enumType("MembershipState", {
    description: "Whether a customer is in a segment. In a tiered segment every customer is in, with a tier.",
    values: { IN: { description: "In the segment." }, OUT: { description: "Not in the segment." } } as const,
  });
  const tierOf = new Map(
    plan.segments
      .filter((each) => each.when === null)
      .map((each) => [
        each.name,
        builder.enumType(`${names.segment(each.name).type}Tier`, {
          description: described(each.description, `Tiers of the segment ${each.name}.`),
          values: Object.fromEntries(
            tiersOf(each).map((tier) => [
              names.tier(each.name, tier),
              { description: `The tier ${tier} of ${each.name}.` },
            ]),
          ),
        }),
      ]),
  );
  const tier = builder.enumType("Tier", {
    description: "Every tier of every segment; IN and OUT stand for membership in a plain segment.",
    values: allTiers({ plan, names }),
  });
  return { membershipState, tier, tierOf };
}

function allTiers({ plan, names }: Pick<Surface, "plan" | "names">): Record<string, { description: string }> {
  const holders = new Map<string, string[]>([
    ["IN", []],
    ["OUT", []],
  ]);
  for (const each of plan.segments) {
    for (const tier of each.when === null ? tiersOf(each) : ["IN", "OUT"]) {
      const value = each.when === null ? names.tier(each.name, tier) : tier;
      holders.set(value, [...(holders.get(value) ?? []), each.name]);
    }
  }
  return Object.fromEntries(
    [...holders].map(([value, segments]) => [
      value,
      { description: segments.length === 0 ? "Of plain segments." : `Of ${segments.join(", ")}.` },
    ]),
  );
}

/** The enum value of a tier, or of `IN` and `OUT`, of a segment. */
export function tierValue({ plan, names }: Surface, segmentName: string, tier: string): string {
  const declared = plan.segments.find((each) => each.name === segmentName);
  return declared?.when === null ? names.tier(segmentName, tier) : tier;
}

/** Back from the enum value to the tier's own name; a value of another segment stays as it is and matches nobody. */
export function tierNamed(surface: Surface, plan: SegmentPlan, value: string): string {
  return tiersOf(plan).find((tier) => tierValue(surface, plan.name, tier) === value) ?? value;
}

/** Declares Segment, SegmentMembership and the queries for them. */
export function declareSegments(surface: Surface, enums: SegmentEnums): void {
  declareMembership(surface, enums);
  declareSegment(surface, enums);
  const { builder, refs } = surface;
  builder.queryField("segments", (t) =>
    t.field({
      type: [refs.segment],
      description: "All segments, in the order of the pipeline file.",
      resolve: (_root, _args, context) => context.plan.segments,
    }),
  );
  builder.queryField("segment", (t) =>
    t.field({
      type: refs.segment,
      description: "One segment; an unknown key is an error that lists the keys there are.",
      args: {
        key: t.arg.string({ required: true, description: "The segment's name in the pipeline file." }),
      },
      resolve: (_, { key }, context) => segment(context, key),
    }),
  );
}

function declareMembership(surface: Surface, enums: SegmentEnums): void {
  const { refs } = surface;
  const valueOf = (name: string, tier: string | null) =>
    tier === null ? null : tierValue(surface, name, tier);
  refs.membership.implement({
    description: "Where one customer stands in one segment.",
    interfaces: [refs.node],
    fields: (t) => ({
      key: t.string({ description: "The segment's key.", resolve: (member) => member.segment }),
      segment: t.field({
        type: refs.segment,
        description: "The segment.",
        resolve: (member, _, context) => segment(context, member.segment),
      }),
      customer: t.field({
        type: refs.customer,
        description: "The customer.",
        resolve: (member) => member.customer,
      }),
      state: t.field({
        type: enums.membershipState,
        description: "In or out.",
        resolve: (member) => member.state.state,
      }),
      tier: t.field({
        type: enums.tier,
        nullable: true,
        description: "The tier; null in a plain segment.",
        resolve: (member) => valueOf(member.segment, member.state.tier),
      }),
      previousTier: t.field({
        type: enums.tier,
        nullable: true,
        description: "The tier before this one; null when there was none.",
        resolve: (member) => valueOf(member.segment, member.state.previousTier),
      }),
      enteredAt: t.field({
        type: "DateTime",
        description: "When this tier or membership was first seen, by the server's clock.",
        resolve: (member) => instantText(member.state.enteredMs),
      }),
      because: t.string({
        description: "The values that decided, in plain words.",
        resolve: (member) => member.state.because,
      }),
    }),
  });
}

function declareSegment(surface: Surface, enums: SegmentEnums): void {
  const { builder, refs } = surface;
  const count = builder.objectRef<{ tier: string; customers: number }>("MemberCount").implement({
    description: "How many customers a tier holds.",
    fields: (t) => ({
      tier: t.field({
        type: enums.tier,
        description: "The tier; IN for a plain segment.",
        resolve: (each) => each.tier,
      }),
      customers: t.exposeInt("customers", { description: "Customers in it." }),
    }),
  });
  const memberConnection = connection(builder, {
    node: refs.membership,
    description: "A page of members of a segment.",
    counts: "How many members there are.",
  });
  refs.segment.implement({
    description: "A segment of the pipeline file.",
    interfaces: [refs.node],
    fields: (t) => ({
      key: t.string({ description: "Its name in the pipeline file.", resolve: (plan) => plan.name }),
      description: t.string({ description: "What it means.", resolve: (plan) => plan.description }),
      tiers: t.field({
        type: [enums.tier],
        description: "Its tiers in the order they are tried; IN alone for a plain segment.",
        resolve: (plan) => tiersOf(plan).map((tier) => tierValue(surface, plan.name, tier)),
      }),
      memberCounts: t.field({
        type: [count],
        description: "How many customers each tier holds.",
        resolve: async (plan, _, context) =>
          (await memberCounts(context, plan)).map((each) => ({
            ...each,
            tier: tierValue(surface, plan.name, each.tier),
          })),
      }),
      members: t.field({
        type: memberConnection,
        description: "Its members, by customer id.",
        args: {
          tier: t.arg({ type: enums.tier, description: "Only members of this tier." }),
          ...pageArgs(t.arg),
        },
        resolve: (plan, { tier, ...page }, context) =>
          members(context, plan, { ...page, tier: tier ? tierNamed(surface, plan, tier) : null }),
      }),
    }),
  });
}
