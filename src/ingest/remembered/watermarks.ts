import type { Clock } from "../../clock.ts";
import type { Loaded } from "../../store/store.ts";

/** By table, where its latest truncate stands. */
export type Truncates = Loaded["truncates"];

/**
 * The truncate watermarks as they were read last. Where several processes save into one store, every batch looks at them once
 * more after it was saved (`ingest/again`). Under load the next batch begins in that very moment, and what was just seen is good
 * for it too. How old it may be bounds how long somebody else's truncate goes unnoticed before the save; after the save it is
 * noticed in any case.
 */
export interface Watermarks {
  /** As they were a moment ago; null when nobody looked lately. */
  recent(): Truncates | null;
  /** What a look found that began at this time, milliseconds since 1970. */
  seen(truncates: Truncates, fromMs: number): void;
  /** Somebody here is about to raise one. */
  forget(): void;
}

/** Remembers watermarks for so many milliseconds; 0 remembers nothing. */
export function createWatermarks({ nowMs }: Pick<Clock, "nowMs">, forMs: number): Watermarks {
  let last: { readonly truncates: Truncates; readonly fromMs: number } | null = null;
  return {
    recent: () => {
      if (last === null) return null;
      // A clock that was set back makes nothing younger.
      const ageMs = nowMs() - last.fromMs;
      return ageMs >= 0 && ageMs < forMs ? last.truncates : null;
    },
    seen: (truncates, fromMs) => {
      last = { truncates, fromMs };
    },
    forget: () => {
      last = null;
    },
  };
}
