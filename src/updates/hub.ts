import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import type { Audience, Listener } from "./audience.ts";
import type { Place, Slot } from "./ring.ts";
import type { StreamCursor, Updates } from "./updates.ts";
import type { Watch } from "./watch.ts";

/** Bounds of the hub and of the subscriptions it serves. */
export interface HubLimits {
  /** Entries kept in memory for those who were away shortly. Default 4,096. */
  readonly ring: number;
  /** Updates one subscription may have waiting under EVERY before it gets a Gap. Default 1,024. */
  readonly waiting: number;
  /** Estimated bytes one subscription may have waiting before it gets a Gap. Default 8 MiB. */
  readonly waitingBytes: number;
  /** Customers one subscription may have waiting under LATEST before it gets a Gap. Default 256. */
  readonly waitingCustomers: number;
  /** A subscription that was sent nothing for so long gets a Progress frame, milliseconds. Default 30,000. */
  readonly progressMs: number;
  /** ... or after so many updates that did not concern it. Default 10,000. */
  readonly progressEntries: number;
}

/** A subscription as the hub sees it. */
export interface Seat extends Listener {
  /** Nothing was sent for a while: a Progress frame may be due. */
  progress(): void;
  /** The hub itself lost entries, or the stream is another one: what was read before no longer leads on. */
  lost(reason: "RETENTION" | "RESTART"): void;
  /** The process is about to stop: end the stream with a resumable code. */
  end(): void;
}

/** What reading after a place gives: slots in order (none when there are no more yet), or a gap. */
export type HubRead =
  | { readonly kind: "slots"; readonly slots: readonly Slot[]; readonly place: Place | null }
  | { readonly kind: "gap"; readonly reason: "RETENTION" | "RESTART"; readonly missed: number | null };

/** One reader per process on the update stream, and everyone in this process who listens to it. */
export interface Hub {
  readonly limits: HubLimits;
  /** Starts reading at the end of the stream; again and again the same promise. */
  start(): Promise<void>;
  /** How far this process has read. Only after `start`. */
  place(): Place;
  /** Takes a seat: counted, told of the end, and part of the audience of its watch and scope. */
  open(seat: Seat, watch: Watch, scope: string): Audience;
  /** From now on the seat is told of every entry after `place()`. */
  join(seat: Seat, audience: Audience): void;
  /** Stops telling the seat of entries, without giving it up. */
  leave(seat: Seat, audience: Audience): void;
  /** Gives a seat up. Safe to repeat. */
  release(seat: Seat, audience: Audience): void;
  /** Entries after a cursor, from memory or from the Updates port. Never waits for entries that are not there yet. */
  after(
    from: { readonly at: StreamCursor; readonly seq: number | null },
    signal: AbortSignal,
  ): Promise<HubRead>;
  /** True when this customer's revision was read at or before the sequence number. */
  hasRead(customerId: string, revision: number, seq: number): boolean;
  /** Subscriptions open now. */
  size(): number;
  /** Ends every subscription with Ended(DRAINING), and every later one at once. */
  drain(): void;
  /** Stops reading, ends what is still open. Safe to repeat. */
  close(): Promise<void>;
}

/** What a hub is made of. */
export interface HubOptions {
  readonly updates: Updates;
  readonly clock: Clock;
  readonly log: Log;
  readonly limits?: Partial<HubLimits>;
}
