import { Presets, SingleBar } from "cli-progress";
import type { Clock } from "../clock.ts";
import { grouped, type Terminal } from "./terminal.ts";

/** How far something long has come; the total may grow while it runs. */
export interface Standing {
  readonly done: number;
  readonly total: number;
}

/** Shows people how far something long has come. */
export interface Progress<S extends Standing> {
  update(standing: S): void;
  end(): void;
}

/** Where progress is shown, and when. */
export interface Shown {
  readonly terminal: Terminal;
  readonly clock: Clock;
}

/** Without a terminal one line in so many milliseconds is enough. */
const LINE_EVERY_MS = 5_000;

const REFRESH_MS = 250;

/** A bar with words beside it where a person watches, now and then the words as a line where none does. */
export function progress<S extends Standing>(words: (standing: S) => string, shown: Shown): Progress<S> {
  return shown.terminal.interactive ? bar(words) : lines(words, shown);
}

function bar<S extends Standing>(words: (standing: S) => string): Progress<S> {
  const single = new SingleBar(
    { format: "{bar} {words}", hideCursor: true, clearOnComplete: true },
    Presets.shades_classic,
  );
  let isStarted = false;
  return {
    update(standing) {
      const { done, total } = standing;
      const said = { words: words(standing) };
      if (!isStarted) single.start(total, done, said);
      isStarted = true;
      single.setTotal(total);
      single.update(done, said);
    },
    end: () => single.stop(),
  };
}

function lines<S extends Standing>(words: (standing: S) => string, { terminal, clock }: Shown): Progress<S> {
  let nextMs = clock.nowMs() + LINE_EVERY_MS;
  return {
    update(standing) {
      if (clock.nowMs() < nextMs) return;
      nextMs = clock.nowMs() + LINE_EVERY_MS;
      terminal.err(`${words(standing)}\n`);
    },
    end: () => {},
  };
}

/** Work to show, and how. */
export interface Watch<S extends Standing, T> extends Shown {
  readonly work: Promise<T>;
  readonly look: () => Promise<S>;
  readonly words: (standing: S) => string;
}

/** Shows how far work has come until it ends, and answers what it answers. A look that fails ends the showing, not the work. */
export async function watched<S extends Standing, T>(watch: Watch<S, T>): Promise<T> {
  const { work, look, words, clock } = watch;
  const shown = progress(words, watch);
  const ended = new AbortController();
  const showing = async (): Promise<void> => {
    while (!ended.signal.aborted) {
      shown.update(await look());
      await clock.wait(REFRESH_MS, ended.signal);
    }
  };
  const showed = showing().catch(() => {});
  try {
    return await work;
  } finally {
    ended.abort();
    await showed;
    shown.end();
  }
}

/** How much of it is done, in whole percent. */
export function percentOf({ done, total }: Standing): number {
  return total === 0 ? 100 : Math.floor((100 * done) / total);
}

/** Such as `applying 45,000 of 120,000 (37 %)`. */
export function shareInWords(label: string, standing: Standing): string {
  return `${label} ${grouped(standing.done)} of ${grouped(standing.total)} (${percentOf(standing)} %)`;
}
