import { Customer360Error } from "../errors.ts";
import type { Excerpt, QuarantinedRecord } from "../store/reads.ts";
import type { Context } from "./context.ts";
import { pageFrom, pageOf } from "./paging.ts";
import type { ListPage, PageArgs } from "./paging.ts";

/** Characters shown of a key or value. */
export const SHOWN_CHARACTERS = 10_000;

/** Refused records of one table, or of all, the last put aside first. Throws NOT_FOUND that lists the tables there are. */
export async function quarantinedRecords(
  context: Context,
  args: PageArgs & { readonly table?: string | null | undefined },
): Promise<ListPage<QuarantinedRecord>> {
  const request = pageOf(args);
  const table = args.table ?? null;
  const tables = context.plan.tables.map(({ name }) => name);
  if (table !== null && !tables.includes(table))
    throw new Customer360Error(
      "NOT_FOUND",
      `There is no table ${JSON.stringify(table)}; there are: ${tables.join(", ")}.`,
    );
  const listing = await context.reads.listQuarantine({ table, ...request });
  return pageFrom(listing, request, { node: (record) => record, total: null });
}

/** An excerpt as UTF-8, its first `SHOWN_CHARACTERS` characters; bytes that are no UTF-8 become U+FFFD. */
export function shownText(excerpt: Excerpt | null): string | null {
  if (excerpt === null) return null;
  const { head, bytes } = excerpt;
  const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(head, { stream: head.length < bytes });
  return text.length <= SHOWN_CHARACTERS ? text : Array.from(text).slice(0, SHOWN_CHARACTERS).join("");
}
