import { ENTRY, entriesFor, following } from "./entry.ts";
import { entryId } from "./place.ts";
import type { Placed } from "./entry.ts";
import type { RedisLink } from "./client.ts";
import type { RedisPlace } from "./place.ts";

/** What a follower is made of. */
export interface FollowerOptions {
  /** A connection of its own: a blocking read holds up whatever comes behind it. */
  readonly link: RedisLink;
  readonly stream: string;
  /** How long the server may wait for an entry before it is asked whether all is well, milliseconds. */
  readonly blockMs: number;
  /** Asks over the given connection where the stream ends. */
  readonly ask: (link: RedisLink) => Promise<RedisPlace>;
}

interface Waiter {
  readonly wake: () => void;
  readonly fail: (error: unknown) => void;
}

/** Entries read at once, and entries kept for those who come to fetch them. */
const READ_UPDATES = 512;
const KEPT = 2 * READ_UPDATES;

/**
 * The one blocking reader of a stream in this process. It reads while somebody waits, always behind an explicit place: `$` would pass
 * over whatever was published while the connection was away.
 *
 * An answer is believed when it goes on right behind the place, in the same epoch and life. For the rest, silence included, it is
 * asked where the stream ends, on the same connection: a server that is frozen, or whose connection leads nowhere, does not answer that;
 * one whose stream was lost or begun anew answers something else than the place.
 */
export class Follower {
  readonly #options: FollowerOptions;
  readonly #waiters = new Set<Waiter>();
  #place: RedisPlace | null = null;
  #kept: readonly Placed[] = [];
  #isReading = false;

  constructor(options: FollowerOptions) {
    this.#options = options;
  }

  /** True when the reader stands at this very place: then nothing behind it was read yet, and waiting is all there is to do. */
  isAt(place: RedisPlace): boolean {
    const at = this.#place;
    return at !== null && at.seq === place.seq && at.life === place.life && at.epoch === place.epoch;
  }

  /** Entries behind a place that were read already; empty when there are none here, or not all. */
  kept(after: RedisPlace, limit: number): readonly Placed[] {
    const first = this.#kept[0]?.place;
    if (first === undefined || first.epoch !== after.epoch || first.life !== after.life) return [];
    const from = after.seq + 1 - first.seq;
    return from < 0 ? [] : this.#kept.slice(from, from + limit);
  }

  /**
   * Waits at a place that is the end of the stream, as far as the caller knows. Resolves when there may be more, or the signal aborts;
   * rejects with UPDATES_UNAVAILABLE when the stream cannot be read.
   */
  async wait(place: RedisPlace, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    if (!this.#isReading) this.#place = place;
    else if (!this.isAt(place)) {
      // It has read on since, or waits at a place before the caller's: both end with its next answer.
      if (this.#place === null || this.#place.seq > place.seq) return;
    }
    await new Promise<void>((resolve, reject) => {
      const done = () => {
        this.#waiters.delete(waiter);
        signal.removeEventListener("abort", wake);
      };
      const wake = () => {
        done();
        resolve();
      };
      const fail = (error: unknown) => {
        done();
        reject(error);
      };
      const waiter: Waiter = { wake, fail };
      this.#waiters.add(waiter);
      signal.addEventListener("abort", wake, { once: true });
      if (!this.#isReading) void this.#read();
    });
  }

  /** Wakes everybody. */
  wakeAll(): void {
    for (const { wake } of [...this.#waiters]) wake();
  }

  async #read(): Promise<void> {
    this.#isReading = true;
    try {
      while (this.#waiters.size > 0 && this.#place !== null) await this.#readOnce(this.#place);
    } catch (error) {
      this.#forget();
      for (const { fail } of [...this.#waiters]) fail(error);
    } finally {
      this.#isReading = false;
    }
  }

  async #readOnce(place: RedisPlace): Promise<void> {
    const { link, stream, blockMs, ask } = this.#options;
    const count = entriesFor(READ_UPDATES);
    const args = ["COUNT", count, "BLOCK", blockMs, "STREAMS", stream, entryId(place)];
    const reply = await link.call("XREAD", args, blockMs);
    const found = following(place, reply);
    const entries = found?.entries ?? [];
    if (entries.length > 0 && entries.every((entry) => entry.place.life === place.life)) {
      this.#keep(entries);
      this.wakeAll();
      return;
    }
    const end = await ask(link);
    if (reply === null && this.isAt(end)) return;
    this.#forget();
    this.wakeAll();
  }

  #keep(entries: readonly Placed[]): void {
    const [first] = entries;
    const last = this.#kept.at(-1);
    const goesOn = last !== undefined && last.place.seq + 1 === first?.place.seq;
    const all = goesOn && last.place.epoch === first?.place.epoch ? [...this.#kept, ...entries] : entries;
    this.#kept = all.slice(-(KEPT + ENTRY.updates));
    this.#place = entries.at(-1)?.place ?? this.#place;
  }

  #forget(): void {
    this.#place = null;
    this.#kept = [];
  }
}
