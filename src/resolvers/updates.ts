import { Customer360Error } from "../errors.ts";
import type { DeliveryMode, Watch } from "../updates/watch.ts";
import type { Context } from "./context.ts";
import { checkWatch } from "./frames/cursor.ts";
import { FrameStream } from "./frames/frame-stream.ts";
import type { Frame } from "./frames/frames.ts";
import type { Supply } from "./frames/taker.ts";

/** Frames answered by one `changesSince` at most. */
export const MOST_CHANGES = 200;

/**
 * The frames of a subscription: a snapshot and what follows it or, with a cursor, exactly what follows that and no snapshot.
 * Nothing is read before the first pull; the caller has to iterate or to call `return`. Throws CURSOR_INVALID at once,
 * and BAD_USER_INPUT for a filter too long to be kept in a cursor.
 */
export function frames(
  context: Context,
  watch: Watch,
  args: { readonly after: string | null; readonly mode: DeliveryMode },
): Supply<Frame> {
  checkWatch(watch);
  const resume = args.after === null ? null : context.cursors.open(args.after, context.viewer.scope, watch);
  return new FrameStream(context, { watch, resume, mode: args.mode });
}

/** A page of what a subscription would have been sent. */
export interface Changes {
  readonly frames: readonly Frame[];
  /** Where the next call, or a subscription to the same field, goes on. */
  readonly endCursor: string;
  /** True when there is more already. */
  readonly hasMore: boolean;
}

/**
 * The poll twin of the subscriptions: the same frames from any of their cursors, at most `first` of them. Without a cursor
 * it begins with every customer's updates from now on. Throws CURSOR_INVALID, and BAD_USER_INPUT for `first` out of range.
 */
export async function changesSince(context: Context, after: string | null, first: number): Promise<Changes> {
  if (!Number.isInteger(first) || first < 1 || first > MOST_CHANGES) {
    throw new Customer360Error(
      "BAD_USER_INPUT",
      `first has to be between 1 and ${MOST_CHANGES}, not ${first}.`,
    );
  }
  const { watch, ...resume } =
    after === null ? await fromNow(context) : context.cursors.open(after, context.viewer.scope);
  const stream = new FrameStream(context, { watch, resume, mode: "EVERY" });
  try {
    const found: Frame[] = [];
    for (;;) {
      const frame = await stream.poll();
      if (frame === null) return { frames: found, endCursor: stream.cursor, hasMore: false };
      found.push(frame);
      if (frame.kind === "ended") return { frames: found, endCursor: stream.cursor, hasMore: false };
      if (found.length === first) {
        const endCursor = stream.cursor;
        return { frames: found, endCursor, hasMore: (await stream.poll()) !== null };
      }
    }
  } finally {
    await stream.return();
  }
}

async function fromNow(context: Context) {
  await context.hub.start();
  const watch: Watch = { field: "customersUpdates", filter: null };
  return { watch, at: context.hub.place().at, page: null, floors: null, afterLoss: false };
}
