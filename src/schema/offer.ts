import type { EnumRef } from "@pothos/core";
import type { OfferState } from "../customer/customer.ts";
import { customerOfOffer, offerPlan, offers } from "../resolvers/offers.ts";
import { connection, pageArgs } from "./connection.ts";
import type { SchemaTypesOf } from "./connection.ts";
import { instantOrNull, instantText } from "./instant.ts";
import type { Surface } from "./surface.ts";

/** The types of offers other declarations use. */
export type OfferTypes = ReturnType<typeof declareOffers>;

const STATES = {
  TRIGGERED: { description: "Made, and open." },
  WITHDRAWN: { description: "No longer earned: the data that earned it changed, or was corrected." },
  EXPIRED: { description: "Its time ran out." },
} as const satisfies Record<OfferState["state"], { description: string }>;

/** Declares Offer, its connection and filter, and the query for them. */
export function declareOffers(surface: Surface) {
  const { builder, refs } = surface;
  const offerState = builder.enumType("OfferState", {
    description: "What became of an offer.",
    values: STATES,
  });
  declareOffer(surface, offerState);
  const offerConnection = connection(builder, {
    node: refs.offer,
    description: "A page of offers, newest trigger first.",
    counts: null,
  });
  const filter = builder.inputType("OfferFilter", {
    description: "Which offers. Each part narrows.",
    fields: (t) => ({
      customerId: t.id({ description: "Made to this customer." }),
      keys: t.stringList({ description: "Of these kinds, by their names in the pipeline file." }),
      states: t.field({ type: [offerState], description: "In these states." }),
    }),
  });
  builder.queryField("offers", (t) =>
    t.field({
      type: offerConnection,
      description: "Offers made, of all customers, newest trigger first.",
      args: {
        filter: t.arg({ type: filter, description: "Which offers; all when left out." }),
        ...pageArgs(t.arg),
      },
      resolve: (_, args, context) => offers(context, args),
    }),
  );
  return { offerState, offerConnection };
}

function declareOffer({ refs }: Surface, offerState: EnumRef<SchemaTypesOf, OfferState["state"]>): void {
  refs.offer.implement({
    description: "An offer made to a customer.",
    interfaces: [refs.node],
    fields: (t) => ({
      key: t.string({ description: "Its name in the pipeline file.", resolve: (made) => made.offer }),
      title: t.string({
        description: "What a customer would read; the key when the pipeline no longer has the offer.",
        resolve: (made, _, context) => offerPlan(context, made.offer)?.title ?? made.offer,
      }),
      description: t.string({
        description: "What the offer is, for those who work with it.",
        resolve: (made, _, context) => offerPlan(context, made.offer)?.description ?? "",
      }),
      customer: t.field({
        type: refs.customer,
        description: "The customer it was made to.",
        resolve: (made, _, context) => customerOfOffer(context, made),
      }),
      state: t.field({
        type: offerState,
        description: "What became of it.",
        resolve: (made) => made.state.state,
      }),
      reason: t.string({
        description: "Why it was made or ended, with the values that decided, in plain words.",
        resolve: (made) => made.state.because,
      }),
      triggeredAt: t.field({
        type: "DateTime",
        description: "When it was made, by the server's clock.",
        resolve: (made) => instantText(made.state.triggeredMs),
      }),
      expiresAt: t.field({
        type: "DateTime",
        nullable: true,
        description: "When its time runs out; null for never.",
        resolve: (made) => instantOrNull(made.state.expiresMs),
      }),
      endedAt: t.field({
        type: "DateTime",
        nullable: true,
        description: "When it was withdrawn or ran out; null while it is open.",
        resolve: (made) => instantOrNull(made.state.endedMs),
      }),
    }),
  });
}
