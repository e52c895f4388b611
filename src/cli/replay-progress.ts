import { Presets, SingleBar } from "cli-progress";
import type { Clock } from "../clock.ts";
import type { ReplayStanding } from "../replaying.ts";
import { grouped, type Terminal } from "./terminal.ts";

/** Shows how far a replay is: a bar where a person watches, now and then a line where none does. */
export interface ReplayProgress {
  update(standing: ReplayStanding): void;
  end(): void;
}

/** Without a terminal one line in so many milliseconds is enough. */
const LINE_EVERY_MS = 5_000;

/** `unit`: what `done` and `total` count. Rate and what is left are estimated from what this run did so far. */
export function replayProgress(unit: "records" | "bytes", terminal: Terminal, clock: Clock): ReplayProgress {
  const begunMs = clock.nowMs();
  let first: number | null = null;
  let isStarted = false;
  let nextMs = begunMs + LINE_EVERY_MS;
  const bar = terminal.interactive
    ? new SingleBar(
        { format: "{bar} {words}", hideCursor: true, clearOnComplete: true },
        Presets.shades_classic,
      )
    : null;
  return {
    update(standing) {
      first ??= standing.done;
      const words = inWords(standing, { unit, first, ms: clock.nowMs() - begunMs });
      if (bar !== null) {
        if (!isStarted) bar.start(standing.total, standing.done, { words });
        isStarted = true;
        bar.setTotal(standing.total);
        bar.update(standing.done, { words });
      } else if (clock.nowMs() >= nextMs) {
        nextMs = clock.nowMs() + LINE_EVERY_MS;
        terminal.err(`${words}\n`);
      }
    },
    end: () => bar?.stop(),
  };
}

/** Since when this run has been going, and where it began. */
interface Since {
  readonly unit: "records" | "bytes";
  readonly first: number;
  readonly ms: number;
}

/** Such as `read again 45,000 of 120,000 records (37 %), 9,500 records/s, about 8 s left`. */
export function inWords({ done, total, records }: ReplayStanding, { unit, first, ms }: Since): string {
  const share = total === 0 ? 100 : Math.floor((100 * done) / total);
  const far =
    unit === "records"
      ? `${grouped(done)} of ${grouped(total)} records`
      : `${megabytes(done)} of ${megabytes(total)} MB`;
  const rate = ms <= 0 ? 0 : (records * 1_000) / ms;
  const leftMs = done > first ? ((total - done) * ms) / (done - first) : null;
  const left = leftMs === null ? "" : `, about ${inTime(leftMs)} left`;
  return `read again ${far} (${share} %), ${grouped(Math.round(rate))} records/s${left}`;
}

const megabytes = (bytes: number): string => (bytes / 1_000_000).toFixed(1);

/** Such as `8 s`, `3 min` and `2 h 5 min`. */
export function inTime(ms: number): string {
  const seconds = Math.ceil(ms / 1_000);
  if (seconds < 100) return `${seconds} s`;
  const minutes = Math.ceil(seconds / 60);
  return minutes < 100 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
