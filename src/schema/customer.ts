import type { Customer } from "../customer/customer.ts";
import { customer, customers } from "../resolvers/customers.ts";
import type { CustomerList } from "../resolvers/customers.ts";
import { filterOf, orderOf } from "../resolvers/filters.ts";
import { offersOf } from "../resolvers/offers.ts";
import { membershipOf, membershipsOf } from "../resolvers/segments.ts";
import { declareFreshness } from "./clocks.ts";
import { connection, pageArgs } from "./connection.ts";
import type { FilterInputs } from "./filter.ts";
import type { OfferTypes } from "./offer.ts";
import type { SegmentEnums } from "./segment.ts";
import { described, scalarOf } from "./surface.ts";
import type { Surface } from "./surface.ts";

/** Declares Customer, but for the fields of its tables (row.ts). */
export function declareCustomer(surface: Surface, types: OfferTypes & SegmentEnums): void {
  const { builder, refs } = surface;
  const freshness = declareFreshness(surface);
  refs.customer.implement({
    description: "One customer: its rows, and what is derived from them.",
    interfaces: [refs.node],
    fields: (t) => ({
      customerId: t.exposeID("customerId", {
        description: "The id the source systems know the customer by.",
      }),
      revision: t.exposeInt("revision", {
        description: "Version of the document: rises by one with each change that had an effect.",
      }),
      freshness: t.field({
        type: freshness,
        description: "How old what is shown is.",
        resolve: (each) => each.freshness,
      }),
      segments: t.field({
        type: [refs.membership],
        description: "Where the customer stands in each segment, in the order of the pipeline file.",
        args: {
          states: t.arg({ type: [types.membershipState], description: "Only memberships in these states." }),
        },
        resolve: (each, { states }, context) => membershipsOf(context, each, states ?? null),
      }),
      segment: t.field({
        type: refs.membership,
        nullable: true,
        description: "Where the customer stands in one segment; null while it was never evaluated.",
        args: {
          key: t.arg.string({ required: true, description: "The segment's name in the pipeline file." }),
        },
        resolve: (each, { key }, context) => membershipOf(context, each, key),
      }),
      offers: t.field({
        type: types.offerConnection,
        description: "Offers made to the customer, newest trigger first; the newest decision of each kind.",
        args: {
          states: t.arg({ type: [types.offerState], description: "Only offers in these states." }),
          ...pageArgs(t.arg),
        },
        resolve: (each, args) => offersOf(each, args),
      }),
    }),
  });
  declareMetrics(surface);
  declareTiers(surface, types);
  builder.queryField("customer", (t) =>
    t.field({
      type: refs.customer,
      nullable: true,
      description: "One customer; null when there is none of that id.",
      args: {
        customerId: t.arg.id({
          required: true,
          description: "The id the source systems know the customer by.",
        }),
      },
      resolve: (_, { customerId }, context) => customer(context, customerId),
    }),
  );
}

function declareMetrics({ builder, plan, names, refs }: Surface): void {
  if (plan.metrics.length === 0) return;
  const metrics = builder.objectRef<Customer>("CustomerMetrics").implement({
    description: "What the pipeline computes over a customer's rows.",
    fields: (t) =>
      Object.fromEntries(
        plan.metrics.map((metric) => [
          names.metric(metric.name),
          t.field({
            type: scalarOf(metric.type),
            nullable: true,
            description: described(metric.description, `The metric ${metric.name}.`),
            resolve: (customer) => (customer.metrics[metric.name] ?? null) as never,
          }),
        ]),
      ),
  });
  builder.objectField(refs.customer, "metrics", (t) =>
    t.field({
      type: metrics,
      description: "Metrics, by name. Null where there is nothing to compute from.",
      resolve: (customer) => customer,
    }),
  );
}

function declareTiers({ builder, plan, names, refs }: Surface, { tierOf }: SegmentEnums): void {
  const tiered = plan.segments.flatMap((segment) => {
    const type = tierOf.get(segment.name);
    return type ? [{ segment, type }] : [];
  });
  if (tiered.length === 0) return;
  const tiers = builder.objectRef<Customer>("CustomerTiers").implement({
    description: "The customer's tier in each tiered segment, each with its own enum.",
    fields: (t) =>
      Object.fromEntries(
        tiered.map(({ segment, type }) => [
          names.segment(segment.name).field,
          t.field({
            type,
            nullable: true,
            description: described(segment.description, `The tier in ${segment.name}.`),
            resolve: (customer) => {
              const tier = customer.segments[segment.name]?.tier ?? null;
              return tier === null ? null : names.tier(segment.name, tier);
            },
          }),
        ]),
      ),
  });
  builder.objectField(refs.customer, "tiers", (t) =>
    t.field({
      type: tiers,
      description: "Tiers, by segment; null while a segment was never evaluated.",
      resolve: (customer) => customer,
    }),
  );
}

/** Declares the list of customers with its filter and order. */
export function declareCustomers(surface: Surface, inputs: FilterInputs): void {
  const { builder, refs } = surface;
  const list = connection(builder, {
    node: refs.customer,
    description: "A page of customers.",
    counts: "How many customers match.",
    liveCursor: (page: CustomerList) => page.liveCursor,
  });
  builder.queryField("customers", (t) =>
    t.field({
      type: list,
      description: "Customers that match, in order; by customer id unless `orderBy` says otherwise.",
      args: {
        filter: t.arg({ type: inputs.filter, description: "Which customers; all when left out." }),
        orderBy: t.arg({
          type: inputs.order,
          description: "Exactly one field to order by. Ties go by customer id; nulls come last either way.",
        }),
        ...pageArgs(t.arg),
      },
      resolve: (_, { filter, orderBy, ...page }, context) =>
        customers(context, {
          ...page,
          filter: filter ? filterOf(filter, inputs.fields) : null,
          orderBy: orderOf(orderBy, inputs.fields),
        }),
    }),
  );
}
