/** How long a saved document takes to be published at most, milliseconds; in fact some thousandths of that. */
export const PUBLISHING_MS = 60_000;

/** How long snapshots are read as after a loss of the stream, milliseconds. */
const LOSS_MS = 600_000;

/** How far a process has read the update stream, by clock. */
export class Headway {
  #startedMs = -Infinity;
  #newestMs = -Infinity;
  #currentMs = -Infinity;
  #lostMs = -Infinity;

  /** Reading began at the end of the stream. */
  start(nowMs: number): void {
    this.#startedMs = nowMs;
  }

  /** The stream was lost: what was published before may be published again. */
  lost(nowMs: number): void {
    this.#lostMs = nowMs;
  }

  /** True when that was a short while ago. */
  isLostLately(nowMs: number): boolean {
    return nowMs < this.#lostMs + LOSS_MS;
  }

  /** An entry was read that was published then. */
  read(publishedMs: number, nowMs: number): void {
    this.#newestMs = Math.max(this.#newestMs, Math.min(publishedMs, nowMs));
  }

  /** Nothing that was published until then is still to be read. */
  current(nowMs: number): void {
    this.#currentMs = nowMs;
  }

  /** Everything published up to this moment was read. */
  readUntilMs(): number {
    return Math.max(this.#newestMs, this.#currentMs);
  }

  /**
   * Documents applied before this moment were published, and read. It follows the stream rather than the clock: while ingest
   * is down it stands still. In the first moments of a process that is unknown, because what was saved right before a
   * crash is published only now.
   */
  settledMs(): number {
    const settled =
      this.#newestMs > -Infinity ? this.#newestMs : this.#currentMs > -Infinity ? this.#startedMs : -Infinity;
    return settled - PUBLISHING_MS;
  }
}
