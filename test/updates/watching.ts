import { afterEach } from "vitest";
import type { CustomerFilter } from "../../src/customer/values/filter.ts";
import type { Frame } from "../../src/resolvers/frames/frames.ts";
import type { HubLimits } from "../../src/updates/limits.ts";
import type { DeliveryMode, Watch } from "../../src/updates/watch.ts";
import { frames } from "../../src/resolvers/updates.ts";
import { world } from "./world.ts";
import type { World } from "./world.ts";

/** One customer. */
export const ANN: Watch = { field: "customerUpdates", customerId: "ann" };

/** All customers. */
export const ALL: Watch = { field: "customersUpdates", filter: null };

/** Customers with more than so much. */
export const RICH: CustomerFilter = {
  kind: "field",
  field: { kind: "metric", name: "balance", as: "number" },
  test: { op: "gt", value: 100 },
};

/** Opens one world per test, and closes it after the test. */
export function bankOf(): (limits?: Partial<HubLimits>) => World {
  let open: World | null = null;
  afterEach(async () => {
    await open?.close();
    open = null;
  });
  return (limits = {}) => (open = world(limits));
}

/** A subscription, pulled frame by frame. */
export function watch(
  { context }: World,
  what: Watch,
  { after = null, mode = "EVERY" }: { after?: string | null; mode?: DeliveryMode } = {},
) {
  const stream = frames(context, what, { after, mode });
  const next = async (): Promise<Frame> => {
    const result = await stream.next();
    if (result.done === true) throw new Error("the stream is over");
    return result.value;
  };
  const some = async (count: number): Promise<Frame[]> => {
    const found: Frame[] = [];
    while (found.length < count) found.push(await next());
    return found;
  };
  return { stream, next, some };
}

/** The short form of frames that laws are stated in. */
export function told(frame: Frame): string {
  switch (frame.kind) {
    case "snapshot": {
      const { items } = frame;
      const listed =
        items.of === "customers"
          ? items.customers.map((each) => `${each.customerId}@${each.revision}`)
          : items.of === "segments"
            ? items.members.map(
                ({ customer, segment, state }) => `${customer.customerId}:${segment}=${state.tier}`,
              )
            : items.offers.map(
                ({ customer, offer, state }) => `${customer.customerId}:${offer}=${state.state}`,
              );
      return `snapshot ${listed.join(" ")}${frame.complete ? "" : " ..."}`;
    }
    case "change":
      return `${frame.matches ? "" : "-"}${frame.customer.customerId}@${frame.revision}`;
    case "gap":
      return `gap ${frame.reason} ${frame.missed}`;
    case "progress":
      return "progress";
    case "ended":
      return `ended ${frame.reason} ${frame.retryable}`;
  }
}

/** Customers listed by a frame. */
export function count(frame: Frame): number {
  return frame.kind === "snapshot" && frame.items.of === "customers" ? frame.items.customers.length : 0;
}
