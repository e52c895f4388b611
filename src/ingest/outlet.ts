import type { Clock } from "../clock.ts";
import type { Customer, Update } from "../customer/customer.ts";
import type { Log } from "../log.ts";
import type { Metrics } from "../metrics.ts";
import { EMPTY_SAVE, type Store } from "../store/store.ts";
import type { Updates } from "../updates/updates.ts";
import type { Confirms } from "./remembered/confirms.ts";
import type { Published } from "./remembered/published.ts";
import { countRetry, isOutage, type Patience } from "./waiting/patience.ts";

/**
 * Where saved updates go.
 *
 * The stream is not the record: while it is away, records go on becoming documents. But a batch must not be acknowledged as
 * long as only its redelivery would bring about what it has to tell. So what cannot be published is left to the relay: it is
 * marked in the store, where a crash does not lose it, and then the batch may be acknowledged. While the stream stays away,
 * documents are marked by the very write that saves them.
 *
 * The stream is asked again with growing pauses; the relay asks for itself, and publishes what was left to it in its own time.
 * Who is published here meanwhile takes along everything its outbox holds, so a customer's revisions rise all the same.
 *
 * Not for ever: when too many customers wait, the stream is waited for as any other part of the world.
 */
export interface Outlet {
  /** True while the stream is away: saves have to leave what they announce to the relay. */
  isAway(): boolean;
  /**
   * Publishes what was saved, or leaves it to the relay; either way the batch may be acknowledged. `left` names the customers
   * whose save did that already. Throws Stopped when neither could be done before the stop.
   */
  publish(updates: readonly Update[], left: ReadonlySet<string>): Promise<void>;
  /** How many customers were left to the relay since the stream went away; 0 while it is there. */
  waiting(): number;
}

/** What an outlet is made of. */
export interface OutletOptions {
  readonly stream: Pick<Updates, "publish">;
  /** A store that waits for outages to pass. */
  readonly store: Pick<Store, "save">;
  readonly published: Published;
  readonly confirms: Confirms;
  readonly patience: Patience;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly signal: AbortSignal;
  /** How long the stream may fail before it counts as away, milliseconds. */
  readonly awayAfterMs: number;
  /** How many customers may wait. */
  readonly most: number;
}

const FIRST_WAIT_MS = 100;
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 10_000;

/** An outlet that takes the stream to be there. */
export function createOutlet(options: OutletOptions): Outlet {
  return new StreamOutlet(options);
}

class StreamOutlet implements Outlet {
  readonly #options: OutletOptions;
  readonly #waiting = new Set<string>();
  /** When to ask again, and how long after that; null while the stream is there. */
  #away: { readonly nextMs: number; readonly pauseMs: number } | null = null;

  constructor(options: OutletOptions) {
    this.#options = options;
  }

  isAway(): boolean {
    return this.#away !== null;
  }

  waiting(): number {
    return this.#waiting.size;
  }

  async publish(updates: readonly Update[], left: ReadonlySet<string>): Promise<void> {
    if (updates.length === 0) return;
    const { published, confirms } = this.#options;
    if (!(await this.#isPublished(updates))) return this.#leave(updates, left);
    this.#back();
    published.add(updates);
    if (left.size > 0) confirms.add(updates.filter(({ customerId }) => left.has(customerId)));
  }

  async #isPublished(updates: readonly Update[]): Promise<boolean> {
    const { stream, patience, clock, most } = this.#options;
    if (this.#waiting.size >= most) {
      await patience("publishing", () => stream.publish(updates));
      return true;
    }
    if (this.#away === null) return this.#insist(updates);
    if (clock.nowMs() < this.#away.nextMs) return false;
    if ((await this.#attempt(updates)) === null) return true;
    this.#goAway(Math.min(LONGEST_PAUSE_MS, 2 * this.#away.pauseMs));
    return false;
  }

  /** A stream that is back in a moment was not away. */
  async #insist(updates: readonly Update[]): Promise<boolean> {
    const { clock, log, signal, awayAfterMs } = this.#options;
    const untilMs = clock.nowMs() + awayAfterMs;
    for (let waitMs = FIRST_WAIT_MS; ; waitMs *= 2) {
      const reason = await this.#attempt(updates);
      if (reason === null) return true;
      if (signal.aborted || clock.nowMs() + waitMs > untilMs) {
        log.warn("the update stream is away: ingest goes on, subscribers are told later", { reason });
        this.#goAway(FIRST_PAUSE_MS);
        return false;
      }
      await clock.wait(waitMs, signal);
    }
  }

  /** Null when it worked. */
  async #attempt(updates: readonly Update[]): Promise<string | null> {
    try {
      await this.#options.stream.publish(updates);
      return null;
    } catch (error) {
      if (!isOutage(error)) throw error;
      countRetry(this.#options.metrics, error);
      return String(error);
    }
  }

  #goAway(pauseMs: number): void {
    this.#away = { nextMs: this.#options.clock.nowMs() + pauseMs, pauseMs };
  }

  #back(): void {
    if (this.#away === null) return;
    this.#options.log.info("the update stream is back", { left: this.#waiting.size });
    this.#away = null;
    this.#waiting.clear();
  }

  /**
   * Marks who was not marked yet by saving it once more as it is, on the revision it has. A conflict is no matter: whoever saved
   * it since found in its outbox what was to be told, and sees to it.
   */
  async #leave(updates: readonly Update[], left: ReadonlySet<string>): Promise<void> {
    const customers = new Map<string, Customer>();
    for (const { customerId, customer } of updates) {
      if (!left.has(customerId)) customers.set(customerId, customer);
      this.#waiting.add(customerId);
    }
    if (customers.size === 0) return;
    const saves = [...customers.values()].map((before) => ({
      before,
      after: { ...before },
      pages: [],
      relay: true,
    }));
    await this.#options.store.save({ ...EMPTY_SAVE, customers: saves });
  }
}
