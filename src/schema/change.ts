import type { Customer, OfferState, OfferTransition, SegmentTransition } from "../customer/customer.ts";
import type { Age, ChangeFrame } from "../resolvers/frames/frames.ts";
import { madeOffer } from "../resolvers/offers.ts";
import { segment } from "../resolvers/segments.ts";
import { cursorAndAge } from "./clocks.ts";
import type { FrameFields, FrameRef } from "./clocks.ts";
import type { OfferTypes } from "./offer.ts";
import { tierValue } from "./segment.ts";
import type { SegmentEnums } from "./segment.ts";
import { changedField } from "./surface.ts";
import type { Surface } from "./surface.ts";

/** What declaring frames needs besides the surface. */
export type FrameEnums = OfferTypes & SegmentEnums;

/** Declares the frame of a change, one type per kind of stream. */
export function declareChanges(surface: Surface, age: FrameRef<Age>, enums: FrameEnums) {
  const { builder, refs } = surface;
  const segmentTransition = declareSegmentTransition(surface, enums);
  const offerTransition = declareOfferTransition(surface, enums);
  const common = (t: FrameFields<ChangeFrame>) => ({
    ...cursorAndAge(t, age),
    customer: t.field({
      type: refs.customer,
      description: "The customer as it is: at the revision announced, or a later one.",
      resolve: (frame) => frame.customer,
    }),
    revision: t.int({ description: "The revision announced.", resolve: (frame) => frame.revision }),
  });
  const segments = ({ segments: all, customer }: ChangeFrame) =>
    all.map((transition) => ({ transition, customer }));
  const offers = ({ offers: all, customer }: ChangeFrame) =>
    all.map((transition) => ({ transition, customer }));
  const change = (name: string) => builder.objectRef<ChangeFrame>(name);
  return {
    customer: change("CustomerChange").implement({
      description: "One customer changed.",
      fields: (t) => ({
        ...common(t),
        changed: t.stringList({
          description:
            "What changed, as field paths below Customer: `patterns`, `metrics.spendTotal`; of segments and offers by key: `segments.engagement`.",
          resolve: (frame) => frame.changed.map((path) => changedField(surface, path)),
        }),
        matches: t.boolean({
          description:
            "False when the customer no longer matches the filter: take it off the list. True without a filter.",
          resolve: (frame) => frame.matches,
        }),
        segmentTransitions: t.field({
          type: [segmentTransition],
          description: "Memberships that changed.",
          resolve: segments,
        }),
        offerTransitions: t.field({
          type: [offerTransition],
          description: "Offers that changed state.",
          resolve: offers,
        }),
      }),
    }),
    segment: change("SegmentChange").implement({
      description: "A customer moved within or between segments.",
      fields: (t) => ({
        ...common(t),
        transitions: t.field({
          type: [segmentTransition],
          description: "The moves that were asked for.",
          resolve: segments,
        }),
      }),
    }),
    offer: change("OfferChange").implement({
      description: "Offers of a customer changed state.",
      fields: (t) => ({
        ...common(t),
        transitions: t.field({
          type: [offerTransition],
          description: "The changes that were asked for.",
          resolve: offers,
        }),
      }),
    }),
  };
}

function declareSegmentTransition(surface: Surface, enums: FrameEnums) {
  const { builder, refs } = surface;
  return builder
    .objectRef<{ transition: SegmentTransition; customer: Customer }>("SegmentTransition")
    .implement({
      description: "A move from one tier to another, or in or out of a plain segment.",
      fields: (t) => ({
        key: t.string({ description: "The segment's key.", resolve: ({ transition }) => transition.segment }),
        segment: t.field({
          type: refs.segment,
          description: "The segment.",
          resolve: ({ transition }, _, context) => segment(context, transition.segment),
        }),
        from: t.field({
          type: enums.tier,
          nullable: true,
          description: "The tier before; null on the first evaluation.",
          resolve: ({ transition: { segment: name, from } }) =>
            from === null ? null : tierValue(surface, name, from),
        }),
        to: t.field({
          type: enums.tier,
          description: "The tier after.",
          resolve: ({ transition: { segment: name, to } }) => tierValue(surface, name, to),
        }),
        membership: t.field({
          type: refs.membership,
          nullable: true,
          description: "The membership as it is now.",
          resolve: ({ transition, customer }) => {
            const state = customer.segments[transition.segment];
            return state ? { customer, segment: transition.segment, state } : null;
          },
        }),
      }),
    });
}

function declareOfferTransition({ builder, refs }: Surface, enums: FrameEnums) {
  return builder.objectRef<{ transition: OfferTransition; customer: Customer }>("OfferTransition").implement({
    description: "An offer's change of state.",
    fields: (t) => ({
      key: t.string({ description: "The offer's key.", resolve: ({ transition }) => transition.offer }),
      from: t.field({
        type: enums.offerState,
        nullable: true,
        description: "The state before; null when it was never made.",
        resolve: ({ transition }): OfferState["state"] | null => transition.from,
      }),
      to: t.field({
        type: enums.offerState,
        description: "The state after.",
        resolve: ({ transition }) => transition.to,
      }),
      offer: t.field({
        type: refs.offer,
        nullable: true,
        description: "The offer as it is now.",
        resolve: ({ transition, customer }) => {
          const state = customer.offers[transition.offer];
          return state ? madeOffer({ customer, offer: transition.offer, state }) : null;
        },
      }),
    }),
  });
}
