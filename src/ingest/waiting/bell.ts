/** Wakes whoever waits for something to have changed. */
export interface Bell {
  ring(): void;
  /** Resolves at the next ring, at once when it rang since it was last heard, or when the signal aborts. */
  heard(signal: AbortSignal): Promise<void>;
}

/** A bell for one listener at a time. */
export function createBell(): Bell {
  let rang = false;
  let wake: (() => void) | null = null;
  return {
    ring() {
      rang = true;
      wake?.();
    },
    heard: (signal) =>
      new Promise((resolve) => {
        const done = () => {
          signal.removeEventListener("abort", done);
          wake = null;
          rang = false;
          resolve();
        };
        if (rang || signal.aborted) return done();
        wake = done;
        signal.addEventListener("abort", done, { once: true });
      }),
  };
}
