import type { KafkaLimits } from "./group.ts";

/** What is seen of a source at one moment. */
export interface Sight {
  readonly nowMs: number;
  /** True while somebody waits for records. */
  readonly isAsked: boolean;
  /** True when there are records that were not delivered. */
  readonly isBehind: boolean;
}

/**
 * Tells a source that has nothing from one that does not move. A client library that has died looks idle, and so does its process; what
 * gives it away is that somebody asks, records are there, and none come. Work that takes long (a store that is away) is no such sign: then
 * nobody asks.
 */
export class KafkaWatch {
  readonly #limits: Pick<KafkaLimits, "stalledMs" | "hopelessMs">;
  #sinceMs: number | null = null;
  #nowMs = 0;

  constructor(limits: Pick<KafkaLimits, "stalledMs" | "hopelessMs">) {
    this.#limits = limits;
  }

  /** Records were delivered. */
  moved(): void {
    this.#sinceMs = null;
  }

  /** Notes what is seen now. */
  see({ nowMs, isAsked, isBehind }: Sight): void {
    this.#nowMs = nowMs;
    if (!isAsked || !isBehind) this.#sinceMs = null;
    else this.#sinceMs ??= nowMs;
  }

  /** For how long nothing has moved, once that is long enough to say so; else null. */
  get stalledMs(): number | null {
    const forMs = this.#sinceMs === null ? 0 : this.#nowMs - this.#sinceMs;
    return forMs >= this.#limits.stalledMs ? forMs : null;
  }

  /** True when waiting any longer helps nobody: the process should be started anew. */
  get isHopeless(): boolean {
    return (this.stalledMs ?? 0) >= this.#limits.hopelessMs;
  }
}
