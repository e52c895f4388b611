import type { Customer } from "../customer/customer.ts";
import type { CustomerFilter } from "../customer/values/filter.ts";
import type { CustomerQuery } from "../store/reads.ts";
import type { Context } from "./context.ts";
import { loadCustomer } from "./loading.ts";
import { pageFrom, pageOf } from "./paging.ts";
import type { ListPage, PageArgs } from "./paging.ts";

/** A page of customers, with the cursor from which its changes can be followed. */
export interface CustomerList extends ListPage<Customer> {
  /** Taken before the list was read: what changed since is after it, or already in the list, or both; never neither. */
  readonly liveCursor: string;
}

/** One customer, or null when there is none of that id. */
export function customer(context: Context, customerId: string): Promise<Customer | null> {
  return loadCustomer(context.reads, customerId);
}

/** Customers that match, in order. */
export async function customers(
  context: Context,
  args: PageArgs & {
    readonly filter: CustomerFilter | null;
    readonly orderBy: CustomerQuery["orderBy"];
  },
): Promise<CustomerList> {
  const request = pageOf(args);
  const { filter, orderBy } = args;
  await context.hub.start();
  const { at } = context.hub.place();
  const listing = await context.reads.listCustomers({ filter, orderBy, ...request });
  const total = () => context.reads.countCustomers(filter);
  return {
    ...pageFrom(listing, request, { node: (each) => each, total }),
    get liveCursor() {
      const watch = { field: "customersUpdates", filter } as const;
      const resume = { at, page: null, floors: null, afterLoss: false };
      return context.cursors.sign(resume, { scope: context.viewer.scope, watch });
    },
  };
}
