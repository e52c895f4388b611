import type { OfferState } from "../customer/customer.ts";
import type { CustomerFilter } from "../customer/values/filter.ts";

/** What a subscription watches. Its JSON is part of the cursor, so a cursor alone is enough to go on. */
export type Watch =
  | { readonly field: "customerUpdates"; readonly customerId: string }
  | { readonly field: "customersUpdates"; readonly filter: CustomerFilter | null }
  | {
      readonly field: "segmentUpdates";
      readonly segments: readonly string[] | null;
      readonly customerId: string | null;
    }
  | {
      readonly field: "offerUpdates";
      readonly customerId: string | null;
      readonly offers: readonly string[] | null;
      readonly states: readonly OfferState["state"][] | null;
    };

/** LATEST: coalesce what has not been sent yet, per customer. EVERY: each update by itself, in order. */
export type DeliveryMode = "LATEST" | "EVERY";

/** The same text for watches that mean the same: members in a fixed order, lists of names sorted. */
export function watchKey(watch: Watch): string {
  return JSON.stringify(watch, (_name, value: unknown) => {
    if (Array.isArray(value)) {
      return value.every((entry) => typeof entry === "string") ? [...value].sort() : value;
    }
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}
