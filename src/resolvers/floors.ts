/** How long revisions seen in a snapshot are written into cursors: far longer than a saved update takes to be published. */
const CARRIED_MS = 60_000;
/** More than so many are not written into cursors, which have to fit into a header. */
const MOST_CARRIED = 100;

/**
 * Revisions a subscription has seen ahead of its place in the stream, by customer: from a snapshot, whose documents can be
 * newer than what was published, or from a cursor. Updates up to them are dropped when they come.
 */
export class Floors {
  readonly #sinceMs: number;
  // One customer is by far the commonest case; it takes no map.
  #customerId: string | null = null;
  #revision = 0;
  #others: Map<string, number> | null = null;
  #passed: Map<string, number> | null = null;

  constructor(sinceMs: number) {
    this.#sinceMs = sinceMs;
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

  /** Live now: from here on the hub drops what comes twice. */
  settle(): void {
    this.#passed = null;
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

  /** What a cursor made now has to hold; null for nothing. */
  carried(nowMs: number): ReadonlyMap<string, number> | null {
    const others = this.#others?.size ?? 0;
    if (this.#customerId === null && others === 0) return null;
    if (others >= MOST_CARRIED || nowMs - this.#sinceMs > CARRIED_MS) return null;
    const all = new Map(this.#others ?? []);
    if (this.#customerId !== null) all.set(this.#customerId, this.#revision);
    return all;
  }
}

/** Both together; null for nothing. */
export function merged(
  one: ReadonlyMap<string, number> | null,
  other: ReadonlyMap<string, number> | null,
): ReadonlyMap<string, number> | null {
  return one === null || other === null ? (one ?? other) : new Map([...one, ...other]);
}
