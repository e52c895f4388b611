import type { FieldRef, ObjectRef } from "@pothos/core";
import type { Freshness } from "../customer/customer.ts";
import type { Age } from "../resolvers/frames/frames.ts";
import type { SchemaTypesOf } from "./connection.ts";
import { instantOrNull, instantText } from "./instant.ts";
import type { Surface } from "./surface.ts";

/** A reference to the type of a frame. */
export type FrameRef<T> = ObjectRef<SchemaTypesOf, T>;

/** Declares fields of the type of a frame. */
export type FrameFields<T> = PothosSchemaTypes.ObjectFieldBuilder<SchemaTypesOf, T>;

/** Declares Freshness. */
export function declareFreshness({ builder }: Surface): FrameRef<Freshness> {
  return builder.objectRef<Freshness>("Freshness").implement({
    description: "Three clocks of the newest change in a document.",
    fields: (t) => ({
      source: t.field({
        type: "DateTime",
        nullable: true,
        description: "When the source database committed it; null when it does not say.",
        resolve: ({ sourceMs }) => instantOrNull(sourceMs),
      }),
      ingested: t.field({
        type: "DateTime",
        nullable: true,
        description: "When its record reached the broker or the watched folder.",
        resolve: ({ ingestedMs }) => instantOrNull(ingestedMs),
      }),
      applied: t.field({
        type: "DateTime",
        description: "When it was applied to the document.",
        resolve: ({ appliedMs }) => instantText(appliedMs),
      }),
    }),
  });
}

/** Declares Age. */
export function declareAge({ builder }: Surface): FrameRef<Age> {
  return builder.objectRef<Age>("Age").implement({
    description: "How old what a frame says is: the clocks it passed on its way.",
    fields: (t) => ({
      source: t.field({
        type: "DateTime",
        nullable: true,
        description:
          "When the source database committed the change; null when that does not apply or it does not say.",
        resolve: ({ sourceMs }) => instantOrNull(sourceMs),
      }),
      ingested: t.field({
        type: "DateTime",
        nullable: true,
        description: "When its record reached the broker or the watched folder.",
        resolve: ({ ingestedMs }) => instantOrNull(ingestedMs),
      }),
      applied: t.field({
        type: "DateTime",
        nullable: true,
        description: "When it was applied to the document.",
        resolve: ({ appliedMs }) => instantOrNull(appliedMs),
      }),
      sent: t.field({
        type: "DateTime",
        description: "When the frame was made for sending.",
        resolve: ({ sentMs }) => instantText(sentMs),
      }),
    }),
  });
}

/** The two fields every frame but the last has. */
export function cursorAndAge<T extends { readonly cursor: string; readonly age: Age }>(
  t: FrameFields<T>,
  age: FrameRef<Age>,
): { readonly cursor: FieldRef<SchemaTypesOf, string>; readonly age: FieldRef<SchemaTypesOf, Age> } {
  return {
    cursor: t.field({
      type: "Cursor",
      description: "Pass it as `after` to go on behind this frame.",
      resolve: (frame) => frame.cursor as never,
    }),
    age: t.field({ type: age, description: "How old it is.", resolve: (frame) => frame.age as never }),
  };
}
