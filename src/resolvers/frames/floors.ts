import type { Customer } from "../../customer/customer.ts";
import { PUBLISHING_MS } from "../../updates/headway.ts";
import type { Hub } from "../../updates/hub.ts";
import type { StreamCursor } from "../../updates/updates.ts";
import type { Context } from "../context.ts";
import type { Resume } from "./cursor.ts";

/** More than so many are not written into cursors: signing them for each frame would cost more than the frame. */
const MOST_CARRIED = 100;

/** For so long the cursors of a subscription tell what it was shown after the stream was lost, milliseconds. */
const LOSS_CARRIED_MS = 600_000;

/** How many revisions of long ago a process may still keep, over all its subscriptions. */
export interface Room {
  left: number;
}

/** What a snapshot is read under. */
interface FloorsOptions {
  /** Documents applied before are surely published up to the place where the snapshot began, milliseconds. */
  readonly settledMs: number;
  /** Set where the stream forgot what was published: then anything may be published again, however long ago it was applied. */
  readonly lost: Room | null;
}

/**
 * Revisions a subscription has seen ahead of its place in the stream, by customer: from a snapshot, whose documents can be
 * newer than what was published, or from a cursor. Updates up to them are dropped when they come.
 *
 * As long as the stream remembers, documents of long ago need none. One that was lost takes everything again that stands in an
 * outbox, so after a loss each customer shown has one, until a later revision comes or the process has no room for more.
 */
export class Floors {
  readonly #settledMs: number;
  readonly #lost: Room | null;
  #taken = 0;
  #liveMs = Infinity;
  #isCarried = true;
  // One customer is by far the commonest case; it takes no map.
  #customerId: string | null = null;
  #revision = 0;
  #others: Map<string, number> | null = null;
  #passed: Map<string, number> | null = null;

  constructor({ settledMs, lost }: FloorsOptions) {
    this.#settledMs = settledMs;
    this.#lost = lost;
  }

  /** How many customers have one. */
  get size(): number {
    return (this.#customerId === null ? 0 : 1) + (this.#others?.size ?? 0);
  }

  /** True for those of a snapshot after the stream was lost. */
  get isAfterLoss(): boolean {
    return this.#lost !== null;
  }

  /** True when cursors have to tell them. */
  get isCarried(): boolean {
    return this.#isCarried && this.size > 0;
  }

  /** A snapshot that was begun at a place of the hub's shows these documents. */
  showAll(customers: readonly Customer[], hub: Pick<Hub, "hasRead">, seq: number | null): void {
    for (const { customerId, revision, freshness } of customers) {
      const isPassed = seq !== null && hub.hasRead(customerId, revision, seq);
      if (!isPassed) this.#show(customerId, revision, freshness.appliedMs);
    }
  }

  #show(customerId: string, revision: number, appliedMs: number): void {
    if (appliedMs < this.#settledMs) {
      if (this.#lost === null || this.#lost.left === 0) return;
      this.#lost.left -= 1;
      this.#taken += 1;
    }
    this.add(customerId, revision);
  }

  /** Nothing up to this revision is to be sent. */
  add(customerId: string, revision: number): void {
    if (this.#customerId === null || this.#customerId === customerId) {
      this.#customerId = customerId;
      this.#revision = revision;
    } else (this.#others ??= new Map()).set(customerId, revision);
  }

  /** A revision read from the stream on the way to being live; whatever comes twice there is dropped. */
  pass(customerId: string, revision: number): void {
    (this.#passed ??= new Map()).set(customerId, revision);
  }

  /** Live now: from here on the hub drops what comes twice. Null when there is nothing left to keep. */
  settle(nowMs: number): Floors | null {
    this.#passed = null;
    this.#liveMs = nowMs;
    return this.size === 0 ? null : this;
  }

  /** What is still needed once everything published up to a moment was read. */
  rest(readUntilMs: number): Floors | null {
    const isLost = this.#lost !== null;
    if (readUntilMs <= this.#liveMs + (isLost ? LOSS_CARRIED_MS : PUBLISHING_MS)) return this;
    this.#isCarried = false;
    return isLost && this.size > 0 ? this : null;
  }

  /** True when the revision was seen already. */
  covers(customerId: string, revision: number): boolean {
    if (revision <= (this.#passed?.get(customerId) ?? 0)) return true;
    const floor = this.#customerId === customerId ? this.#revision : this.#others?.get(customerId);
    return floor !== undefined && revision <= floor;
  }

  /** A later revision is delivered: the customer's floor has done its work. */
  lift(customerId: string): void {
    if (this.#customerId === customerId) this.#customerId = null;
    else if (this.#others?.delete(customerId) !== true) return;
    if (this.#taken > 0) this.#give(1);
  }

  /** They are not needed any more. Safe to repeat. */
  free(): void {
    this.#give(this.#taken);
  }

  /** All of them now. */
  all(): Map<string, number> {
    const all = new Map(this.#others ?? []);
    if (this.#customerId !== null) all.set(this.#customerId, this.#revision);
    return all;
  }

  #give(count: number): void {
    this.#taken -= count;
    if (this.#lost !== null) this.#lost.left += count;
  }
}

/** None yet, of a subscription for which the stream was lost or not; whether the hub noticed a loss lately counts as well. */
export function newFloors({ hub, clock }: Context, afterLoss: boolean, settledMs = -Infinity): Floors {
  const isLost = afterLoss || hub.headway.isLostLately(clock.nowMs());
  return new Floors({ settledMs, lost: isLost ? hub.room : null });
}

/**
 * A place as the client has to come back to it: with the revisions it has seen ahead of it or, when they are too many,
 * by way of a snapshot.
 */
export function resumeOf(
  { at, page }: { readonly at: StreamCursor; readonly page: string | null },
  floors: Floors | null,
  ahead: ReadonlyMap<string, number> | null,
): Resume {
  if (floors?.isCarried !== true) return { at, page, floors: ahead, afterLoss: false };
  const afterLoss = floors.isAfterLoss;
  if (floors.size > MOST_CARRIED) return { at, page: "", floors: null, afterLoss };
  const all = floors.all();
  for (const [customerId, revision] of ahead ?? []) all.set(customerId, revision);
  return { at, page, floors: all, afterLoss };
}

/** True for a place that is the same for everyone who got there. */
export function isBare({ page, floors }: Resume): boolean {
  return page === null && floors === null;
}
