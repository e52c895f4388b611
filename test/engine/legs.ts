import { nowUs } from "../../src/bench/journeys.ts";
import { median, quantile } from "../../src/bench/measure.ts";
import type { Measure } from "../../src/bench/report.ts";

/** The parts of the way to a screen that can be told apart by clocks a frame carries. All processes share one machine, so the clocks agree. */
const LEGS = {
  applied: "from its producer until applied: broker, fetching, waiting for the batch before, loading",
  sent: "from applied until its frame is made: saving, publishing, reading the stream",
  seen: "from its frame until on the screen",
} as const;

type Leg = keyof typeof LEGS;

/** Takes the legs of journeys down. */
export class Legs {
  /** Of the wall clock against the monotonic one; `Date.now()` would be up to a millisecond behind. */
  readonly #aheadMs = performance.timeOrigin + performance.now() - nowUs() / 1_000;
  readonly #ms: Readonly<Record<Leg, number[]>> = { applied: [], sent: [], seen: [] };

  /** A delivery of what was sent at a stamp of the monotonic clock. */
  seen(payload: Buffer, stampUs: number, atUs: number): void {
    const appliedMs = clockIn(payload, "applied");
    const sentMs = clockIn(payload, "sent");
    this.#ms.applied.push(appliedMs - (stampUs / 1_000 + this.#aheadMs));
    this.#ms.sent.push(sentMs - appliedMs);
    this.#ms.seen.push(atUs / 1_000 + this.#aheadMs - sentMs);
  }

  /** Forgets what was taken down. */
  clear(): void {
    for (const list of Object.values(this.#ms)) list.length = 0;
  }

  /** A row for each leg; `at` says in words under which load, `publishedMs` is the mean from applied to published by the process's own count. */
  measures(at: string, publishedMs: number): readonly Measure[] {
    return (Object.keys(LEGS) as Leg[]).map((leg) => ({
      name: `change to screen ${at}, ${LEGS[leg]}`,
      value: median(this.#ms[leg]),
      unit: "ms",
      better: "lower",
      firstStep: null,
      goal: null,
      note:
        `median; p99 ${quantile(this.#ms[leg], 0.99).toFixed(1)} ms` +
        (leg === "sent" ? `; until published ${publishedMs.toFixed(1)} ms, mean of batches` : ""),
    }));
  }
}

/** A clock of a frame, milliseconds since 1970. Throws when the frame does not carry it. */
function clockIn(payload: Buffer, name: string): number {
  const before = `"${name}":"`;
  const start = payload.indexOf(before);
  const ms = Date.parse(
    payload.toString("latin1", start + before.length, payload.indexOf('"', start + before.length)),
  );
  if (start < 0 || Number.isNaN(ms)) throw new Error(`a frame without the clock ${name}`);
  return ms;
}
