/** Lets one waiter wait for the next ring. */
export interface Bell {
  ring(): void;
  /** Resolves at the next ring, or when the signal aborts. */
  heard(signal: AbortSignal): Promise<void>;
}

/** A bell nobody waits at yet. */
export function bell(): Bell {
  let wake = (): void => {};
  return {
    ring: () => wake(),
    heard: (signal) =>
      new Promise((resolve) => {
        if (signal.aborted) return resolve();
        wake = () => {
          signal.removeEventListener("abort", wake);
          wake = () => {};
          resolve();
        };
        signal.addEventListener("abort", wake, { once: true });
      }),
  };
}
