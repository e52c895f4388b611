/** Those who wait for the reader of the stream to come further. */
export class Waiters {
  readonly #waiting: (() => void)[] = [];

  /** Resolves at the next `wake`, or when the signal aborts. */
  next(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        signal.removeEventListener("abort", done);
        resolve();
      };
      this.#waiting.push(done);
      signal.addEventListener("abort", done, { once: true });
    });
  }

  /** The reader has come further, or to its end. */
  wake(): void {
    for (const done of this.#waiting.splice(0)) done();
  }
}
