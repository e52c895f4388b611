import type { GraphQLSchema } from "graphql";
import type { Plan } from "../customer/plan.ts";
import { declareCustomer, declareCustomers } from "./customer.ts";
import { declareFilters } from "./filter.ts";
import { declareFrames } from "./frame.ts";
import { declareNode } from "./node.ts";
import { declareOffers } from "./offer.ts";
import { declarePipeline } from "./pipeline.ts";
import { declareQuarantine } from "./quarantine.ts";
import { declareRow, declareTableField } from "./row.ts";
import { declareSegmentEnums, declareSegments } from "./segment.ts";
import { declareSubscriptions } from "./subscription.ts";
import { createSurface } from "./surface.ts";

/** The GraphQL schema of a pipeline: every table, column, metric, segment and offer it declares is a typed, described field. */
export function buildSchema(plan: Plan): GraphQLSchema {
  const surface = createSurface(plan);
  const { builder } = surface;
  builder.queryType({ description: "Reads. Every list is a page: `first` at most 200, more is an error." });
  declareNode(surface);
  const enums = declareSegmentEnums(surface);
  const inputs = declareFilters(surface, enums);
  const offers = declareOffers(surface);
  const types = { ...enums, ...offers };
  declareCustomer(surface, types);
  for (const table of plan.tables) {
    declareRow(surface, table);
    declareTableField(builder, surface, table);
  }
  declareCustomers(surface, inputs);
  declareSegments(surface, enums);
  declarePipeline(surface);
  declareQuarantine(surface);
  declareSubscriptions(surface, { ...inputs, ...offers, frames: declareFrames(surface, types) });
  return builder.toSchema({ sortSchema: false });
}
