import type { Customer, OfferState } from "../customer/customer.ts";
import type { OfferPlan } from "../customer/plan.ts";
import { Customer360Error } from "../errors.ts";
import type { Context } from "./context.ts";
import type { CustomerOffer } from "./frames/frames.ts";
import { loadCustomer } from "./loading.ts";
import { pageFrom, pageOf, pageWithin } from "./paging.ts";
import type { ListPage, PageArgs } from "./paging.ts";

/** One offer as the API shows it; `customer` is there when the document was at hand. */
export interface MadeOffer {
  readonly customerId: string;
  readonly offer: string;
  readonly state: OfferState;
  readonly customer: Customer | null;
}

/** Which offers: each part narrows, null or absent means any. */
export interface OfferFilter {
  readonly customerId?: string | null | undefined;
  readonly keys?: readonly string[] | null | undefined;
  readonly states?: readonly OfferState["state"][] | null | undefined;
}

/** The declaration of an offer that was made; null when the pipeline no longer has it. */
export function offerPlan(context: Context, key: string): OfferPlan | null {
  return context.plan.offers.find((each) => each.name === key) ?? null;
}

/** Checks offer keys. Throws NOT_FOUND that lists the keys there are. */
export function knownOffers(context: Context, keys: readonly string[] | null): readonly string[] | null {
  const unknown = keys?.find((key) => offerPlan(context, key) === null);
  if (unknown === undefined) return keys;
  const known = context.plan.offers.map((each) => each.name).join(", ");
  throw new Customer360Error(
    "NOT_FOUND",
    `There is no offer ${JSON.stringify(unknown)}; there are: ${known}.`,
  );
}

/** An offer with the customer it was made to. */
export function madeOffer(made: CustomerOffer): MadeOffer {
  return { ...made, customerId: made.customer.customerId };
}

/** The offers of all customers, newest trigger first. */
export async function offers(
  context: Context,
  args: PageArgs & { readonly filter?: OfferFilter | null | undefined },
): Promise<ListPage<MadeOffer>> {
  const request = pageOf(args);
  const listing = await context.reads.listOffers({
    customerId: args.filter?.customerId ?? null,
    offers: knownOffers(context, args.filter?.keys ?? null),
    states: args.filter?.states ?? null,
    ...request,
  });
  return pageFrom(listing, request, { node: (listed) => ({ ...listed, customer: null }), total: null });
}

/** The offers of one customer, newest trigger first, read from its document. */
export function offersOf(
  customer: Customer,
  args: PageArgs & { readonly states?: readonly OfferState["state"][] | null | undefined },
): ListPage<MadeOffer> {
  const { customerId } = customer;
  const all = Object.entries(customer.offers)
    .filter(([, state]) => !args.states || args.states.includes(state.state))
    .map(([offer, state]) => ({ customerId, offer, state, customer }));
  return pageWithin(all, pageOf(args), {
    rank: (made) => `${String(made.state.triggeredMs).padStart(16, "0")} ${made.offer}`,
    descending: true,
  });
}

/** The customer an offer was made to. */
export async function customerOfOffer(context: Context, made: MadeOffer): Promise<Customer> {
  const customer = made.customer ?? (await loadCustomer(context.reads, made.customerId));
  if (customer === null) throw new Error("an offer is listed whose customer is not stored");
  return customer;
}
