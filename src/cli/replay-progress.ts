import type { Clock } from "../clock.ts";
import type { ReplayStanding } from "../replaying.ts";
import { percentOf } from "./progress.ts";
import { grouped } from "./terminal.ts";

/**
 * How far a replay is, for people. `unit`: what `done` and `total` count.
 * Rate and what is left are estimated from what this run did so far.
 */
export function replayWords(unit: "records" | "bytes", clock: Clock): (standing: ReplayStanding) => string {
  const begunMs = clock.nowMs();
  let first: number | null = null;
  return (standing) => {
    first ??= standing.done;
    return inWords(standing, { unit, first, ms: clock.nowMs() - begunMs });
  };
}

/** Since when this run has been going, and where it began. */
interface Since {
  readonly unit: "records" | "bytes";
  readonly first: number;
  readonly ms: number;
}

/** Such as `read again 45,000 of 120,000 records (37 %), 9,500 records/s, about 8 s left`. */
export function inWords(standing: ReplayStanding, { unit, first, ms }: Since): string {
  const { done, total, records } = standing;
  const far =
    unit === "records"
      ? `${grouped(done)} of ${grouped(total)} records`
      : `${megabytes(done)} of ${megabytes(total)} MB`;
  const rate = ms <= 0 ? 0 : (records * 1_000) / ms;
  const leftMs = done > first ? ((total - done) * ms) / (done - first) : null;
  const left = leftMs === null ? "" : `, about ${inTime(leftMs)} left`;
  return `read again ${far} (${percentOf(standing)} %), ${grouped(Math.round(rate))} records/s${left}`;
}

const megabytes = (bytes: number): string => (bytes / 1_000_000).toFixed(1);

/** Such as `8 s`, `3 min` and `2 h 5 min`. */
export function inTime(ms: number): string {
  const seconds = Math.ceil(ms / 1_000);
  if (seconds < 100) return `${seconds} s`;
  const minutes = Math.ceil(seconds / 60);
  return minutes < 100 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
