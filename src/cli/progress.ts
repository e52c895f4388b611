import { Presets, SingleBar } from "cli-progress";
import type { Clock } from "../clock.ts";
import { grouped, type Terminal } from "./terminal.ts";

/** How far something long has come. */
export interface Progress {
  /** The total may grow while it runs. */
  update(done: number, total: number): void;
  end(): void;
}

/** Without a terminal one line in so many milliseconds is enough. */
const LINE_EVERY_MS = 5_000;

/** A bar where a person watches, now and then a line where none does. */
export function progress(label: string, terminal: Terminal, clock: Clock): Progress {
  if (!terminal.interactive) return lines(label, terminal, clock);
  const bar = new SingleBar(
    { format: `${label} {bar} {percentage}%  {value}/{total}`, hideCursor: true, clearOnComplete: true },
    Presets.shades_classic,
  );
  let started = false;
  return {
    update(done, total) {
      if (!started) bar.start(total, done);
      started = true;
      bar.setTotal(total);
      bar.update(done);
    },
    end: () => bar.stop(),
  };
}

function lines(label: string, terminal: Terminal, clock: Clock): Progress {
  let nextMs = clock.nowMs() + LINE_EVERY_MS;
  return {
    update(done, total) {
      if (clock.nowMs() < nextMs) return;
      nextMs = clock.nowMs() + LINE_EVERY_MS;
      terminal.err(`${label} ${grouped(done)} of ${grouped(total)}\n`);
    },
    end: () => {},
  };
}
