import { codeOf } from "../../../src/errors.ts";
import type { StreamEntry, Updates } from "../../../src/updates/updates.ts";
import { until } from "../../servers/ports.ts";

/** The last revision of each customer. */
export type Revisions = ReadonlyMap<string, number>;

/** Asks until it works, as the pipeline and the hub do; gives up by throwing the reason of the signal. */
export async function insist<T>(attempt: () => Promise<T>, signal: AbortSignal): Promise<T> {
  let result: { readonly value: T } | null = null;
  await until(async () => {
    try {
      result = { value: await attempt() };
      return true;
    } catch (error) {
      if (codeOf(error) !== "UPDATES_UNAVAILABLE") throw error;
      return false;
    }
  }, signal);
  if (result === null) throw new Error("unreachable");
  return (result as { readonly value: T }).value;
}

/**
 * Reads a stream as a subscription of all customers does: a snapshot of what is saved, then each update, and behind a gap a snapshot
 * again. What it must never be told, it notes.
 */
export class Subscriber {
  /** What it knows now. */
  readonly shown = new Map<string, number>();
  /** Revisions told twice, or passed over in silence. */
  readonly breaches: string[] = [];
  readonly #updates: Updates;
  readonly #saved: Revisions;
  #told = new Set<string>();
  gaps = 0;

  constructor(updates: Updates, saved: Revisions) {
    this.#updates = updates;
    this.#saved = saved;
  }

  /** Follows until the signal aborts. */
  async follow(signal: AbortSignal): Promise<void> {
    const patience = AbortSignal.any([signal, AbortSignal.timeout(120_000)]);
    try {
      let at = await insist(() => this.#updates.tail(), patience);
      this.#snapshot();
      while (!signal.aborted) {
        const read = await insist(() => this.#updates.read(at, { limit: 100, signal }), patience);
        if (read.kind === "gap") {
          this.gaps += 1;
          at = read.resumeAt;
          this.#snapshot();
          continue;
        }
        read.entries.forEach((entry) => this.#take(entry));
        at = read.entries.at(-1)?.cursor ?? at;
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  /** True when it knows all that is saved. */
  knowsAll(): boolean {
    return [...this.#saved].every(([customerId, revision]) => this.shown.get(customerId) === revision);
  }

  #snapshot(): void {
    this.#told = new Set();
    for (const [customerId, revision] of this.#saved) this.shown.set(customerId, revision);
  }

  #take({ update: { customerId, revision } }: StreamEntry): void {
    const name = `${customerId}@${revision}`;
    if (this.#told.has(name)) this.breaches.push(`${name} is told twice`);
    this.#told.add(name);
    const last = this.shown.get(customerId) ?? 0;
    // A snapshot shows what is told only afterwards.
    if (revision <= last) return;
    if (revision > last + 1) this.breaches.push(`${name} is told after ${last}`);
    this.shown.set(customerId, revision);
  }
}
