import { Customer360Error } from "../errors.ts";
import type { Listing } from "../store/reads.ts";

/** Most entities a list answers at once; asking for more is an error, never a silent cut. */
export const MAX_PAGE = 200;

/** Entities a list answers when `first` is left out. */
export const DEFAULT_PAGE = 50;

/** The arguments of every list. `after` is the cursor of the last entity already seen. */
export interface PageArgs {
  readonly first?: number | null | undefined;
  readonly after?: string | null | undefined;
}

/** The arguments checked, with `first` filled in. */
export interface PageRequest {
  readonly first: number;
  readonly after: string | null;
}

/** One page of a list, as connections show it. */
export interface ListPage<T> {
  readonly edges: readonly { readonly node: T; readonly cursor: string }[];
  readonly hasNext: boolean;
  /** Counts the whole list; called only when the client asks. Null where counting is not offered. */
  readonly total: (() => Promise<number> | number) | null;
  /** Continues a list that is not the first page. */
  readonly hasPrevious: boolean;
}

/** Checks `first` and `after`. Throws BAD_USER_INPUT that names the maximum. */
export function pageOf(args: PageArgs): PageRequest {
  const first = args.first ?? DEFAULT_PAGE;
  if (!Number.isInteger(first) || first < 1 || first > MAX_PAGE) {
    throw new Customer360Error("BAD_USER_INPUT", `\`first\` must be 1 to ${MAX_PAGE}, not ${first}.`);
  }
  return { first, after: args.after ?? null };
}

/** A page from what a store listed, each entity turned into its node. */
export function pageFrom<S, T>(
  listing: Listing<S>,
  request: PageRequest,
  options: { readonly node: (item: S) => T; readonly total: ListPage<T>["total"] },
): ListPage<T> {
  return {
    edges: listing.items.map(({ item, cursor }) => ({ node: options.node(item), cursor })),
    hasNext: listing.hasNext,
    hasPrevious: request.after !== null,
    total: options.total,
  };
}

/**
 * A page of a list that is already in memory, sorted by `rank` (greatest first when descending). An entity's cursor is its
 * rank, so the next page starts at the right place even when the entity this one stopped at has gone.
 */
export function pageWithin<T>(
  all: readonly T[],
  request: PageRequest,
  order: { readonly rank: (entity: T) => string; readonly descending: boolean },
): ListPage<T> {
  const sign = order.descending ? -1 : 1;
  const compare = (a: string, b: string) => (a < b ? -sign : a > b ? sign : 0);
  const seen = request.after === null ? null : rankIn(request.after);
  const rest = all
    .map((node) => ({ node, rank: order.rank(node) }))
    .filter(({ rank }) => seen === null || compare(rank, seen) > 0)
    .sort((a, b) => compare(a.rank, b.rank));
  return {
    edges: rest.slice(0, request.first).map(({ node, rank }) => ({ node, cursor: cursorOf(rank) })),
    hasNext: rest.length > request.first,
    hasPrevious: request.after !== null,
    total: () => all.length,
  };
}

const PREFIX = "r:";

function cursorOf(rank: string): string {
  return Buffer.from(PREFIX + rank).toString("base64url");
}

function rankIn(cursor: string): string {
  const text = Buffer.from(cursor, "base64url").toString();
  if (!text.startsWith(PREFIX) || cursorOf(text.slice(PREFIX.length)) !== cursor) {
    throw new Customer360Error("CURSOR_INVALID", "`after` is not a cursor of this list.");
  }
  return text.slice(PREFIX.length);
}
