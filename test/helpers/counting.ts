import type { Metrics } from "../../src/metrics.ts";

/** Metrics that a test reads: counters and gauges as `name label label`, observations in order. */
export interface Counting extends Metrics {
  readonly counts: Readonly<Record<string, number>>;
  readonly observed: Readonly<Record<string, readonly number[]>>;
}

export function counting(): Counting {
  const counts: Record<string, number> = {};
  const observed: Record<string, number[]> = {};
  const nameOf = (name: string, labels: readonly string[]) => [name, ...labels].join(" ");
  return {
    counts,
    observed,
    add: (name, count, ...labels) => {
      if (count < 0) throw new Error(`${name} went down`);
      const full = nameOf(name, labels);
      counts[full] = (counts[full] ?? 0) + count;
    },
    total: (name, count, ...labels) => void (counts[nameOf(name, labels)] = count),
    set: (name, value, ...labels) => void (counts[nameOf(name, labels)] = value),
    clear: (name) => {
      for (const full of Object.keys(counts)) if (full.split(" ")[0] === name) delete counts[full];
    },
    observe: (name, seconds, ...labels) => void (observed[nameOf(name, labels)] ??= []).push(seconds),
  };
}
