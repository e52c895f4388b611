import type { ArgBuilder, ObjectRef } from "@pothos/core";
import { DEFAULT_PAGE, MAX_PAGE } from "../resolvers/paging.ts";
import type { ListPage } from "../resolvers/paging.ts";
import type { Builder } from "./builder.ts";

/** The builder's own types, for references passed between files. */
export type SchemaTypesOf = Builder["$inferSchemaTypes"];

/** The two arguments of every list, checked by `pageOf`. */
export function pageArgs(arg: ArgBuilder<SchemaTypesOf>) {
  return {
    first: arg.int({
      defaultValue: DEFAULT_PAGE,
      description: `How many at most, 1 to ${MAX_PAGE}; asking for more is an error.`,
    }),
    after: arg({ type: "Cursor", description: "The cursor of the last one already seen." }),
  };
}

const pageInfos = new WeakMap<Builder, ObjectRef<SchemaTypesOf, ListPage<unknown>>>();

/** PageInfo, declared once per schema. */
function pageInfo(builder: Builder): ObjectRef<SchemaTypesOf, ListPage<unknown>> {
  const known = pageInfos.get(builder);
  if (known) return known;
  const ref = builder.objectRef<ListPage<unknown>>("PageInfo").implement({
    description: "Where a page stands in its list, as the Relay specification has it.",
    fields: (t) => ({
      hasNextPage: t.boolean({
        description: "There are more after this page.",
        resolve: (page) => page.hasNext,
      }),
      hasPreviousPage: t.boolean({
        description: "The page was asked for with `after`.",
        resolve: (page) => page.hasPrevious,
      }),
      startCursor: t.field({
        type: "Cursor",
        nullable: true,
        description: "Cursor of the first one on the page; null when the page is empty.",
        resolve: (page) => page.edges.at(0)?.cursor ?? null,
      }),
      endCursor: t.field({
        type: "Cursor",
        nullable: true,
        description: "Cursor of the last one on the page: pass it as `after` to go on.",
        resolve: (page) => page.edges.at(-1)?.cursor ?? null,
      }),
    }),
  });
  pageInfos.set(builder, ref);
  return ref;
}

/** What a connection is declared with. */
export interface ConnectionOptions<Node, Page extends ListPage<Node>> {
  /** The type of its nodes; the connection is called after it. */
  readonly node: ObjectRef<SchemaTypesOf, Node>;
  readonly description: string;
  /** Says what `totalCount` counts; null where the list is not counted. */
  readonly counts: string | null;
  /** A cursor from which the list's changes can be followed, where there is one. */
  readonly liveCursor?: (page: Page) => string;
}

/** Declares the Relay connection and edge of a type. */
export function connection<Node, Page extends ListPage<Node>>(
  builder: Builder,
  options: ConnectionOptions<Node, Page>,
) {
  const { node, counts, liveCursor } = options;
  const edge = builder.objectRef<ListPage<Node>["edges"][number]>(`${node.name}Edge`).implement({
    description: `One ${node.name} in a list, with its place there.`,
    fields: (t) => ({
      node: t.field({ type: node, description: `The ${node.name}.`, resolve: (each) => each.node as never }),
      cursor: t.field({
        type: "Cursor",
        description: "Its place: pass it as `after` to go on behind it.",
        resolve: (each) => each.cursor,
      }),
    }),
  });
  return builder.objectRef<Page>(`${node.name}Connection`).implement({
    description: options.description,
    fields: (t) => ({
      edges: t.field({ type: [edge], description: "The page, with cursors.", resolve: (page) => page.edges }),
      nodes: t.field({
        type: [node],
        description: "The page, without cursors.",
        resolve: (page) => page.edges.map((each) => each.node) as never,
      }),
      pageInfo: t.field({
        type: pageInfo(builder),
        description: "Whether and how to go on.",
        resolve: (page) => page,
      }),
      ...(counts === null
        ? {}
        : { totalCount: t.int({ description: counts, resolve: (page) => page.total?.() ?? 0 }) }),
      ...(liveCursor === undefined
        ? {}
        : {
            liveCursor: t.field({
              type: "Cursor",
              description:
                "Taken before the list was read: pass it to `customersUpdates` with the same filter, or to `changesSince`, and miss nothing that happened since.",
              resolve: liveCursor,
            }),
          }),
    }),
  });
}
