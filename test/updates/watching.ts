import type { Frame } from "../../src/resolvers/frames.ts";
import type { DeliveryMode, Watch } from "../../src/updates/watch.ts";
import { frames } from "../../src/resolvers/updates.ts";
import type { World } from "./world.ts";

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
