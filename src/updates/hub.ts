import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import { noMetrics, type Metrics } from "../metrics.ts";
import { Audience, audienceKey } from "./audience.ts";
import type { Listener } from "./audience.ts";
import { Headway } from "./headway.ts";
import { createIndex } from "./interest.ts";
import { HUB_LIMITS } from "./limits.ts";
import type { HubLimits } from "./limits.ts";
import { Outside } from "./outside.ts";
import { pageBehind } from "./page-behind.ts";
import { createRing, type Place, type Ring, type Slot } from "./ring.ts";
import { Seen } from "./seen.ts";
import { nextTurn, oneByOne } from "./turns.ts";
import type { StreamCursor, StreamEntry, StreamRead, Updates } from "./updates.ts";
import { Waiters } from "./waiters.ts";
import type { Watch } from "./watch.ts";

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
  /** How far this process has read, by clock. */
  readonly headway: Headway;
  /** How many more revisions its subscriptions may keep in mind after a loss of the stream. */
  readonly room: { left: number };
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
  /** Resolves once this process has read everything that is published now, or the signal aborts. */
  caughtUp(signal: AbortSignal): Promise<void>;
  /** True when this customer's revision was read at or before the sequence number. */
  hasRead(customerId: string, revision: number, seq: number): boolean;
  /** True once `drain` was called: whoever opens now is to end at once. */
  isDraining(): boolean;
  /** Subscriptions open now. */
  size(): number;
  /** Things watched by live subscriptions now: 0 when nothing is left behind. */
  watched(): number;
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
  /** Where it counts what it does; nowhere by default. */
  readonly metrics?: Metrics;
}

/** Entries read at once, and entries dispatched before subscriptions get a turn to send them. */
const READ_LIMIT = 512;
const DISPATCHED_AT_ONCE = 64;
/** Entries answered per page to a subscription that catches up. */
const PAGE = 100;
/** How long a stream is left alone that fails, or answers nothing unasked: one that was closed would be asked without end, and let go of nothing. */
const RETRY_MS = 500;

/** A hub; `start` makes it read. */
export function createHub(options: HubOptions): Hub {
  return new StreamHub(options);
}

class StreamHub implements Hub {
  readonly limits: HubLimits;
  readonly headway = new Headway();
  readonly room: { left: number };
  readonly #options: HubOptions;
  readonly #atOnce: number;
  readonly #seats = new Set<Seat>();
  readonly #audiences = new Map<string, Audience>();
  readonly #index = createIndex();
  readonly #stop = new AbortController();
  #ring: Ring | null = null;
  readonly #seen = new Seen();
  readonly #outside = new Outside();
  #started: Promise<void> | null = null;
  #running: Promise<unknown> = Promise.resolve();
  readonly #pages = oneByOne();
  #unprogressed = 0;
  readonly #waiters = new Waiters();
  #draining = false;

  constructor(options: HubOptions) {
    this.#options = options;
    this.limits = { ...HUB_LIMITS, ...options.limits };
    this.room = { left: this.limits.floors };
    const { waiting, waitingCustomers } = this.limits;
    this.#atOnce = Math.max(1, Math.min(DISPATCHED_AT_ONCE, waiting >> 1, waitingCustomers >> 1));
  }

  start(): Promise<void> {
    this.#started ??= this.#begin();
    return this.#started;
  }

  async #begin(): Promise<void> {
    try {
      this.headway.start(this.#options.clock.nowMs());
      this.#ring = createRing(await this.#options.updates.tail(), this.limits.ring);
    } catch (error) {
      this.#started = null;
      throw error;
    }
    this.#running = Promise.all([this.#follow(this.#ring), this.#tick()]);
  }

  place(): Place {
    return this.#reading().place();
  }

  open(seat: Seat, watch: Watch, scope: string): Audience {
    const key = audienceKey(watch, scope);
    let audience = this.#audiences.get(key);
    if (audience === undefined) {
      audience = new Audience(watch, scope, key);
      this.#audiences.set(key, audience);
    }
    audience.seats += 1;
    this.#seats.add(seat);
    return audience;
  }

  join(seat: Seat, audience: Audience): void {
    if (audience.live.size === 0) this.#index.add(audience);
    audience.live.add(seat);
  }

  leave(seat: Seat, audience: Audience): void {
    if (audience.live.delete(seat) && audience.live.size === 0) this.#index.remove(audience);
  }

  release(seat: Seat, audience: Audience): void {
    if (!this.#seats.delete(seat)) return;
    this.leave(seat, audience);
    audience.seats -= 1;
    if (audience.seats === 0) this.#audiences.delete(audience.key);
  }

  isDraining(): boolean {
    return this.#draining;
  }

  async after(
    from: { readonly at: StreamCursor; readonly seq: number | null },
    signal: AbortSignal,
  ): Promise<HubRead> {
    const { updates } = this.#options;
    const ring = this.#reading();
    const compare = (a: StreamCursor, b: StreamCursor) => updates.compare(a, b);
    const seq = from.seq ?? ring.find(from.at, compare);
    const page = seq === null ? null : pageBehind(from, seq, { ring, updates, limit: PAGE });
    if (page !== null) {
      if (page.slots.length === PAGE) await this.#pages();
      return { kind: "slots", ...page };
    }
    if (isAhead(compare(from.at, ring.place().at))) return this.#catchUpWith(from.at, signal);
    const read = await updates.read(from.at, { limit: PAGE, signal });
    if (read.kind === "gap") return { kind: "gap", reason: read.reason, missed: read.missed };
    return { kind: "slots", slots: this.#outside.slots(read.entries, from.at), place: null };
  }

  /** Waits until this reader is where a cursor already is that another process gave out; it is of no stream we know when not even the end is. */
  async #catchUpWith(at: StreamCursor, signal: AbortSignal): Promise<HubRead> {
    const { updates } = this.#options;
    if (isAhead(updates.compare(at, await updates.tail())))
      return { kind: "gap", reason: "RESTART", missed: null };
    await this.#reach(at, signal);
    return { kind: "slots", slots: [], place: null };
  }

  async caughtUp(signal: AbortSignal): Promise<void> {
    await this.#reach(await this.#options.updates.tail(), signal);
  }

  hasRead(customerId: string, revision: number, seq: number): boolean {
    return this.#seen.has(customerId, revision, seq);
  }

  size(): number {
    return this.#seats.size;
  }

  watched(): number {
    return this.#index.size();
  }

  drain(): void {
    this.#draining = true;
    for (const seat of [...this.#seats]) seat.end();
  }

  async close(): Promise<void> {
    this.drain();
    this.#stop.abort();
    await this.#running;
  }

  #reading(): Ring {
    if (this.#ring === null) throw new Error("the hub was not started");
    return this.#ring;
  }

  /** Waits until this process has read as far as another one had. */
  async #reach(at: StreamCursor, signal: AbortSignal): Promise<void> {
    const isReached = () => !isAhead(this.#options.updates.compare(at, this.place().at));
    while (!isReached() && !signal.aborted && !this.#stop.signal.aborted) await this.#waiters.next(signal);
  }

  async #follow(ring: Ring): Promise<void> {
    const { updates, clock, log } = this.#options;
    const { signal } = this.#stop;
    let isFailing = false;
    while (!signal.aborted) {
      let read: StreamRead;
      try {
        read = await updates.read(ring.place().at, { limit: READ_LIMIT, signal });
        isFailing = false;
      } catch (error) {
        if (!isFailing) log.warn("the update stream cannot be read, trying again", { reason: String(error) });
        isFailing = true;
        await clock.wait(RETRY_MS, signal);
        continue;
      }
      if (read.kind === "gap") this.#restart(ring, read);
      else await this.#dispatch(ring, read.entries);
      this.#waiters.wake();
    }
    this.#waiters.wake();
  }

  #restart(ring: Ring, gap: StreamRead & { kind: "gap" }): void {
    this.#options.log.warn("updates are missing from the stream; subscribers are told", {
      reason: gap.reason,
    });
    ring.restart(gap.resumeAt);
    this.#seen.clear();
    if (gap.reason === "RESTART") this.headway.lost(this.#options.clock.nowMs());
    for (const seat of [...this.#seats]) seat.lost(gap.reason);
  }

  async #dispatch(ring: Ring, entries: readonly StreamEntry[]): Promise<void> {
    let dispatched = 0;
    for (const entry of entries) {
      if (this.#stop.signal.aborted) return;
      if (!this.#seen.isNew(entry.update, ring.place().seq + 1)) {
        ring.skip(entry.cursor);
        continue;
      }
      const slot = ring.push(entry);
      for (const audience of this.#index.concernedBy(entry.update)) this.#tell(audience, slot);
      dispatched += 1;
      if (dispatched % this.#atOnce === 0) await nextTurn();
    }
    this.headway.read(entries.at(-1)?.publishedMs ?? -Infinity, this.#options.clock.nowMs());
    this.#count(entries, dispatched);
    this.#unprogressed += dispatched;
    if (this.#unprogressed >= this.limits.progressEntries) this.#progress();
    await (entries.length > 0 ? nextTurn() : this.#options.clock.wait(RETRY_MS, this.#stop.signal));
  }

  #count(entries: readonly StreamEntry[], dispatched: number): void {
    const { clock, metrics = noMetrics } = this.#options;
    const [oldest] = entries;
    if (oldest === undefined) return;
    metrics.add("updates_read_total", dispatched);
    metrics.observe("lag_seconds", (clock.nowMs() - oldest.update.freshness.appliedMs) / 1_000, "sent");
  }

  /** A fault ends those it concerns, and nobody else. */
  #tell(audience: Audience, slot: Slot): void {
    try {
      const bearing = audience.weigh(slot);
      if (bearing !== null) audience.live.each((seat) => seat.take(slot, bearing));
    } catch (error) {
      const { customerId, revision } = slot.entry.update;
      this.#options.log.error("an update could not be told", { customerId, revision, error: String(error) });
      audience.live.each((seat) => seat.fail(error));
    }
  }

  async #tick(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      await this.#options.clock.wait(this.limits.progressMs, signal);
      if (signal.aborted) return;
      void this.#reckon();
      this.#progress();
    }
  }

  /** Notes when nothing is left to read. Nobody waits for it: a stream that is slow to answer holds up no sign of life. */
  async #reckon(): Promise<void> {
    const { updates, clock } = this.#options;
    const nowMs = clock.nowMs();
    const tail = await updates.tail().catch(() => null);
    if (tail !== null && updates.compare(tail, this.place().at) === 0) this.headway.current(nowMs);
  }

  #progress(): void {
    this.#unprogressed = 0;
    for (const seat of [...this.#seats]) seat.progress();
  }
}

/** True for a cursor that includes what the other does not. Of two streams nothing is ahead: no waiting would change that. */
function isAhead(order: number | null): boolean {
  return order !== null && order > 0;
}
