import type { KafkaSession } from "./session.ts";
import type { Discontinuity } from "./position.ts";

/** How a Kafka source is doing, for readiness and metrics. */
export interface KafkaHealth {
  /** `catching up` until everything that was there when its partitions were taken up is done with. */
  readonly state: "not connected" | "catching up" | "serving";
  /** Partitions of ours. */
  readonly partitions: number;
  /** Wanted topics, by name, that do not exist yet. */
  readonly missingTopics: readonly string[];
  /** How many discontinuities were met since the start. */
  readonly discontinuities: number;
  /** The latest of them, oldest first, at most 100. */
  readonly latestDiscontinuities: readonly Discontinuity[];
  /** For how long records have waited without any coming, milliseconds; null while all is well. */
  readonly stalledMs: number | null;
  /** Memberships in the group begun since the start; more than one tells of outages or new topics. */
  readonly sessions: number;
  /** Times the group has handed us partitions since the start: rebalances. */
  readonly assignments: number;
}

const KEPT = 100;

/** The last of something, and how many there were. */
export class Latest<T> {
  readonly #kept: T[] = [];
  #count = 0;

  add(one: T): void {
    this.#count += 1;
    this.#kept.push(one);
    if (this.#kept.length > KEPT) this.#kept.shift();
  }

  get count(): number {
    return this.#count;
  }

  list(): readonly T[] {
    return [...this.#kept];
  }
}

/** What state a session is in. */
export function stateOf(session: KafkaSession | null): KafkaHealth["state"] {
  if (session === null || session.failure !== null) return "not connected";
  if (!session.isSettled) return "catching up";
  return session.holdings.every(({ isCaughtUp }) => isCaughtUp) ? "serving" : "catching up";
}
