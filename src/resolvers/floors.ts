import { PUBLISHING_MS } from "../updates/headway.ts";
import type { StreamCursor } from "../updates/updates.ts";
import type { Resume } from "./cursor.ts";

/** More than so many are not written into cursors: signing them for each frame would cost more than the frame. */
const MOST_CARRIED = 100;

/**
 * Revisions a subscription has seen ahead of its place in the stream, by customer: from a snapshot, whose documents can be
 * newer than what was published, or from a cursor. Updates up to them are dropped when they come.
 */
export class Floors {
  readonly #settledMs: number;
  #liveMs = Infinity;
  // One customer is by far the commonest case; it takes no map.
  #customerId: string | null = null;
  #revision = 0;
  #others: Map<string, number> | null = null;
  #passed: Map<string, number> | null = null;

  /** Documents applied before `settledMs` are surely published up to the place where the snapshot began: they need no floor. */
  constructor(settledMs = -Infinity) {
    this.#settledMs = settledMs;
  }

  /** How many customers have one. */
  get size(): number {
    return (this.#customerId === null ? 0 : 1) + (this.#others?.size ?? 0);
  }

  /** A snapshot shows a document of this revision, applied then. */
  show(customerId: string, revision: number, appliedMs: number): void {
    if (appliedMs >= this.#settledMs) this.add(customerId, revision);
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

  /** True when everything up to a moment was read, and so everything that was saved before the stream was live. */
  isDone(readUntilMs: number): boolean {
    return readUntilMs > this.#liveMs + PUBLISHING_MS;
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
    else this.#others?.delete(customerId);
  }

  /** All of them now. */
  all(): Map<string, number> {
    const all = new Map(this.#others ?? []);
    if (this.#customerId !== null) all.set(this.#customerId, this.#revision);
    return all;
  }
}

/** A place as the client has to come back to it: with the revisions it has seen ahead of it or, when they are too many, by way of a snapshot. */
export function resumeOf(
  { at, page }: { readonly at: StreamCursor; readonly page: string | null },
  floors: Floors | null,
  ahead: ReadonlyMap<string, number> | null,
): Resume {
  if (floors === null || floors.size === 0) return { at, page, floors: ahead };
  if (floors.size > MOST_CARRIED) return { at, page: "", floors: null };
  const all = floors.all();
  for (const [customerId, revision] of ahead ?? []) all.set(customerId, revision);
  return { at, page, floors: all };
}

/** True for a place that is the same for everyone who got there. */
export function isBare({ page, floors }: Resume): boolean {
  return page === null && floors === null;
}
