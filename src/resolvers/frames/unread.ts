import type { Hub } from "../../updates/hub.ts";
import type { Slot } from "../../updates/ring.ts";
import type { StreamCursor } from "../../updates/updates.ts";

/** How many of the updates published up to now, and after a place in the hub's memory, count. */
export async function countUnread(
  hub: Hub,
  place: { readonly at: StreamCursor; readonly seq: number | null },
  { counts, signal }: { readonly counts: (slot: Slot) => boolean; readonly signal: AbortSignal },
): Promise<number> {
  let count = 0;
  await hub.caughtUp(signal);
  let from = place;
  while (from.seq !== null && from.seq < hub.place().seq) {
    const read = await hub.after(from, signal);
    if (read.kind === "gap" || read.place === null) break;
    count += read.slots.filter(counts).length;
    from = read.place;
  }
  return count;
}
