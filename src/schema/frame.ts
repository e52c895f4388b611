import type {
  Age,
  ChangeFrame,
  EndedFrame,
  Frame,
  GapFrame,
  ProgressFrame,
  SnapshotFrame,
} from "../resolvers/frames/frames.ts";
import { madeOffer } from "../resolvers/offers.ts";
import { declareChanges } from "./change.ts";
import type { FrameEnums } from "./change.ts";
import { cursorAndAge, declareAge } from "./clocks.ts";
import type { FrameFields, FrameRef } from "./clocks.ts";
import type { Surface } from "./surface.ts";

/** The unions that subscriptions yield. */
export type FrameTypes = ReturnType<typeof declareFrames>;

/** Declares every frame, and one union per kind of subscription. */
export function declareFrames(surface: Surface, enums: FrameEnums) {
  const age = declareAge(surface);
  const shared = declareShared(surface, age);
  const snapshots = declareSnapshots(surface, age);
  const changes = declareChanges(surface, age, enums);
  const union = (
    name: string,
    description: string,
    own: readonly [FrameRef<SnapshotFrame>, FrameRef<ChangeFrame>],
  ) =>
    surface.builder.unionType(name, {
      description,
      types: [...own, ...shared],
      resolveType: (frame: Frame) => typeNameOf(frame, own[1].name),
    });
  return {
    customer: union("CustomerFrame", "One frame of a stream of customers.", [
      snapshots.customers,
      changes.customer,
    ]),
    segment: union("SegmentFrame", "One frame of a stream of segment memberships.", [
      snapshots.segments,
      changes.segment,
    ]),
    offer: union("OfferFrame", "One frame of a stream of offers.", [snapshots.offers, changes.offer]),
    any: surface.builder.unionType("UpdateFrame", {
      description: "One frame of any stream, as polling gives them.",
      types: [snapshots.customers, snapshots.segments, snapshots.offers, changes.customer, ...shared],
      resolveType: (frame: Frame) => typeNameOf(frame, changes.customer.name),
    }),
  };
}

const SNAPSHOTS = {
  customers: "CustomerSnapshot",
  segments: "SegmentSnapshot",
  offers: "OfferSnapshot",
} as const;

function typeNameOf(frame: Frame, change: string): string {
  switch (frame.kind) {
    case "snapshot":
      return SNAPSHOTS[frame.items.of];
    case "change":
      return change;
    case "gap":
      return "Gap";
    case "progress":
      return "Progress";
    case "ended":
      return "Ended";
  }
}

function declareShared({ builder }: Surface, age: FrameRef<Age>) {
  const reason = builder.enumType("StreamReason", {
    description:
      "Why updates are missing, or a stream ends. One enum for both, so that one selection can hold both.",
    values: {
      SLOW_CONSUMER: { description: "Missing: the client did not read fast enough." },
      RETENTION: { description: "Missing: they are older than what is kept." },
      RESTART: { description: "Missing: the stream is another one than the cursor's." },
      DRAINING: { description: "Ended: the process is about to stop. Connect again with the cursor." },
    } as const,
  });
  const gap = builder.objectRef<GapFrame>("Gap").implement({
    description: "Updates are missing here; a fresh snapshot follows.",
    fields: (t) => ({
      ...cursorAndAge(t, age),
      missed: t.int({
        nullable: true,
        description: "How many updates are missing; null when that cannot be known.",
        resolve: (frame) => frame.missed,
      }),
      reason: t.field({ type: reason, description: "Why.", resolve: (frame) => frame.reason }),
    }),
  });
  const progress = builder.objectRef<ProgressFrame>("Progress").implement({
    description: "Nothing of interest up to this cursor: a sign of life, and a newer place to resume from.",
    fields: (t) => cursorAndAge(t, age),
  });
  const ended = builder.objectRef<EndedFrame>("Ended").implement({
    description: "The last frame of a stream that the server ends.",
    fields: (t) => ({
      resume: t.field({
        type: "Cursor",
        nullable: true,
        description: "Pass it as `after` to go on; null when nothing was sent yet.",
        resolve: (frame) => frame.cursor,
      }),
      reason: t.field({ type: reason, description: "Why.", resolve: (frame) => frame.reason }),
      retryable: t.boolean({
        description: "Connecting again makes sense.",
        resolve: (frame) => frame.retryable,
      }),
      age: t.field({ type: age, description: "How old it is.", resolve: (frame) => frame.age }),
    }),
  });
  return [gap, progress, ended] as const;
}

function declareSnapshots({ builder, refs }: Surface, age: FrameRef<Age>) {
  const complete = (t: FrameFields<SnapshotFrame>) => ({
    ...cursorAndAge(t, age),
    complete: t.boolean({
      description: "False when more of the snapshot follows.",
      resolve: (frame) => frame.complete,
    }),
  });
  const snapshot = (name: string) => builder.objectRef<SnapshotFrame>(name);
  return {
    customers: snapshot("CustomerSnapshot").implement({
      description: "Customers as of the cursor. Many come in several frames.",
      fields: (t) => ({
        ...complete(t),
        customers: t.field({
          type: [refs.customer],
          description: "The customers of this frame.",
          resolve: ({ items }) => (items.of === "customers" ? items.customers : []),
        }),
      }),
    }),
    segments: snapshot("SegmentSnapshot").implement({
      description: "Memberships as of the cursor. Many come in several frames.",
      fields: (t) => ({
        ...complete(t),
        members: t.field({
          type: [refs.membership],
          description: "The memberships of this frame.",
          resolve: ({ items }) => (items.of === "segments" ? items.members : []),
        }),
      }),
    }),
    offers: snapshot("OfferSnapshot").implement({
      description: "Offers as of the cursor. Many come in several frames.",
      fields: (t) => ({
        ...complete(t),
        offers: t.field({
          type: [refs.offer],
          description: "The offers of this frame.",
          resolve: ({ items }) => (items.of === "offers" ? items.offers.map(madeOffer) : []),
        }),
      }),
    }),
  };
}
