import { canonical } from "../../src/customer/values/canonical.ts";
import type { Everyone, Store } from "../../src/store/store.ts";

/** The canonical documents of everybody in a store of at most a thousand customers, by id. */
export async function documentsOf(store: Store & Everyone): Promise<readonly string[]> {
  const ids = await store.everyone(null, 1_000);
  const { customers } = await store.load({ customers: ids, pages: [], keys: {} });
  return [...customers.values()].map((customer) => canonical(customer, []));
}
