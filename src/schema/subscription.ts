import type { OfferState } from "../customer/customer.ts";
import type { Context } from "../resolvers/context.ts";
import { filterOf } from "../resolvers/filters.ts";
import type { Frame } from "../resolvers/frames/frames.ts";
import { knownOffers } from "../resolvers/offers.ts";
import { pageOf } from "../resolvers/paging.ts";
import { segment } from "../resolvers/segments.ts";
import { changesSince, frames } from "../resolvers/updates.ts";
import type { DeliveryMode, Watch } from "../updates/watch.ts";
import type { FilterInputs } from "./filter.ts";
import type { FrameTypes } from "./frame.ts";
import type { OfferTypes } from "./offer.ts";
import type { Surface } from "./surface.ts";

/** What subscriptions are declared with. */
type Types = FilterInputs & { readonly frames: FrameTypes; readonly offerState: OfferTypes["offerState"] };

interface StreamArgs {
  readonly after?: string | null | undefined;
  readonly mode?: DeliveryMode | null | undefined;
}

function stream(context: Context, watch: Watch, { after, mode }: StreamArgs): AsyncIterable<Frame> {
  return frames(context, watch, { after: after ?? null, mode: mode ?? "LATEST" });
}

function knownSegments(context: Context, keys: readonly string[] | null): readonly string[] | null {
  return keys === null ? null : keys.map((key) => segment(context, key).name);
}

/** Declares the four subscriptions and `changesSince`, the same for who polls. */
export function declareSubscriptions(surface: Surface, types: Types): void {
  const { builder } = surface;
  const mode = builder.enumType("DeliveryMode", {
    description: "What a client gets that reads slower than updates come.",
    values: {
      LATEST: {
        description: "The newest state of each customer, whatever happened in between: for screens.",
      },
      EVERY: { description: "Each update by itself, in order: for logs." },
    } as const,
  });
  builder.subscriptionType({
    description: "Streams: a snapshot, then exactly what follows it. Each yields frames.",
  });
  builder.subscriptionFields((t) => {
    const streamArgs = {
      after: t.arg({
        type: "Cursor",
        description:
          "Go on behind this cursor, without a snapshot. Only a cursor of this field with these arguments.",
      }),
      mode: t.arg({ type: mode, defaultValue: "LATEST", description: "Coalesce, or everything." }),
    };
    const customerId = t.arg.id({ description: "Only of this customer." });
    return {
      customerUpdates: t.field({
        type: types.frames.customer,
        description: "One customer, and every change of it. Also before it exists.",
        args: { customerId: t.arg.id({ required: true, description: "The customer." }), ...streamArgs },
        subscribe: (_, args, context) =>
          stream(context, { field: "customerUpdates", customerId: args.customerId }, args),
        resolve: (frame: Frame) => frame,
      }),
      customersUpdates: t.field({
        type: types.frames.customer,
        description: "The customers that match, and every change that concerns the list.",
        args: {
          filter: t.arg({ type: types.filter, description: "Which customers; all when left out." }),
          ...streamArgs,
        },
        subscribe: (_, args, context) => {
          const filter = args.filter ? filterOf(args.filter, types.fields) : null;
          return stream(context, { field: "customersUpdates", filter }, args);
        },
        resolve: (frame: Frame) => frame,
      }),
      segmentUpdates: t.field({
        type: types.frames.segment,
        description: "Memberships, and every move between tiers or in and out.",
        args: {
          keys: t.arg.stringList({ description: "Only of these segments, by key." }),
          customerId,
          ...streamArgs,
        },
        subscribe: (_, args, context) => {
          const segments = knownSegments(context, args.keys ?? null);
          return stream(
            context,
            { field: "segmentUpdates", segments, customerId: args.customerId ?? null },
            args,
          );
        },
        resolve: (frame: Frame) => frame,
      }),
      offerUpdates: t.field({
        type: types.frames.offer,
        description: "Offers, and every change of their state.",
        args: {
          customerId: t.arg.id({ description: "Only of this customer." }),
          offerKeys: t.arg.stringList({ description: "Only of these kinds, by key." }),
          states: t.arg({ type: [types.offerState], description: "Only changes into these states." }),
          ...streamArgs,
        },
        subscribe: (_, args, context) => stream(context, offerWatch(context, args), args),
        resolve: (frame: Frame) => frame,
      }),
    };
  });
  declareChangesSince(surface, types);
}

interface OfferArgs {
  readonly customerId?: string | null | undefined;
  readonly offerKeys?: readonly string[] | null | undefined;
  readonly states?: readonly OfferState["state"][] | null | undefined;
}

function offerWatch(context: Context, args: OfferArgs): Watch {
  return {
    field: "offerUpdates",
    customerId: args.customerId ?? null,
    offers: knownOffers(context, args.offerKeys ?? null),
    states: args.states ?? null,
  };
}

type ChangePage = Awaited<ReturnType<typeof changesSince>>;

function declareChangesSince({ builder }: Surface, types: Types): void {
  const page = builder.objectRef<ChangePage>("ChangePage").implement({
    description: "Frames that followed a cursor.",
    fields: (t) => ({
      frames: t.field({
        type: [types.frames.any],
        description: "In order.",
        resolve: (each) => [...each.frames],
      }),
      endCursor: t.field({
        type: "Cursor",
        description: "Pass it as `after` next time.",
        resolve: (each) => each.endCursor,
      }),
      hasMore: t.exposeBoolean("hasMore", { description: "More is waiting already: ask again at once." }),
    }),
  });
  builder.queryField("changesSince", (t) =>
    t.field({
      type: page,
      description: "What a subscription would have sent since a cursor, for clients that poll.",
      args: {
        after: t.arg({
          type: "Cursor",
          description:
            "A cursor of any subscription, `liveCursor` of a list, or `endCursor` of this field; it says what is watched. Left out: all customers, from now on.",
        }),
        first: t.arg.int({ defaultValue: 50, description: "How many frames at most, 1 to 200." }),
      },
      resolve: (_, args, context) =>
        changesSince(context, args.after ?? null, pageOf({ first: args.first }).first),
    }),
  );
}
