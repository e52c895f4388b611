import type { TablePlan } from "../cdc/table.ts";
import type { Customer } from "../customer/customer.ts";
import { newestRow } from "../customer/derived/metrics.ts";
import { countNoted } from "../customer/live-rows.ts";
import type { ListedRow } from "../store/reads.ts";
import type { Context } from "./context.ts";
import { pageFrom, pageOf, pageWithin } from "./paging.ts";
import type { ListPage, PageArgs } from "./paging.ts";

/** The live rows of an inline table, as the document holds them. */
export function inlineRows(customer: Customer, table: string): readonly ListedRow[] {
  return Object.entries(customer.tables[table] ?? {})
    .filter(([, row]) => row.live)
    .map(([key, row]) => ({ customerId: customer.customerId, table, key, row }));
}

/** The row of a one-row table: the newest, should there be several; null when there is none. */
export function oneRow(customer: Customer, table: string): ListedRow | null {
  const newest = newestRow(customer.tables[table]);
  return newest === null ? null : { customerId: customer.customerId, table, ...newest };
}

/** The rows of a many-row table, newest position first: inline ones from the document, paged ones from the store. */
export async function rows(
  context: Context,
  customer: Customer,
  options: { readonly table: TablePlan; readonly args: PageArgs },
): Promise<ListPage<ListedRow>> {
  const request = pageOf(options.args);
  const table = options.table.name;
  if (options.table.storage.kind === "inline") {
    return pageWithin(inlineRows(customer, table), request, { rank, descending: true });
  }
  const { customerId } = customer;
  const listing = await context.reads.listRows({ customerId, table, ...request });
  return pageFrom(listing, request, { node: (row) => row, total: () => countNoted(customer.notes[table]) });
}

function rank(row: ListedRow): string {
  return `${row.row.at} ${row.key}`;
}
