import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { Exposition, Metrics } from "./metrics.ts";
import { METRIC_PREFIX, METRICS } from "./metrics-list.ts";

/** Counts for Prometheus. */
export interface Prometheus extends Metrics {
  /** Everything counted so far, after asking what has to be asked for (`lookFirst`). */
  read(): Promise<Exposition>;
  /** Has gauges brought up to date before each reading. A look that fails is left out: what it would have set stays as it was. */
  lookFirst(look: () => Promise<void> | void): void;
}

/** From a millisecond, the goal in the steady state, to an hour: an outage. */
const SECONDS = [
  0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3_600,
];

type Known =
  | { readonly kind: "counter"; readonly it: Counter }
  | { readonly kind: "gauge"; readonly it: Gauge }
  | { readonly kind: "histogram"; readonly it: Histogram };

/** A registry of its own with every metric of `METRICS`, those without labels at 0. */
export function createPrometheus(): Prometheus {
  const registry = new Registry();
  const known = new Map(
    Object.keys(METRICS).map((name) => [name, declare(name as keyof typeof METRICS, registry)]),
  );
  const find = <Kind extends Known["kind"]>(name: string, kind: Kind) => {
    const found = known.get(name);
    if (found?.kind !== kind) throw new Error(`${name} is no ${kind}`);
    return found.it as Extract<Known, { kind: Kind }>["it"];
  };
  const looks: (() => Promise<void> | void)[] = [];
  return {
    add: (name, count, ...labels) =>
      find(name, "counter")
        .labels(...labels)
        .inc(count),
    total: (name, count, ...labels) => {
      const counter = find(name, "counter");
      counter.remove(...labels);
      counter.labels(...labels).inc(count);
    },
    set: (name, value, ...labels) =>
      find(name, "gauge")
        .labels(...labels)
        .set(value),
    clear: (name) => find(name, "gauge").reset(),
    observe: (name, seconds, ...labels) =>
      find(name, "histogram")
        .labels(...labels)
        .observe(Math.max(0, seconds)),
    lookFirst: (look) => void looks.push(look),
    read: async () => {
      await Promise.allSettled(looks.map(async (look) => look()));
      return { contentType: registry.contentType, text: await registry.metrics() };
    },
  };
}

function declare(name: keyof typeof METRICS, registry: Registry): Known {
  const { kind, labels, help } = METRICS[name];
  const shared = { name: METRIC_PREFIX + name, help, labelNames: [...labels], registers: [registry] };
  switch (kind) {
    case "counter":
      return { kind, it: new Counter(shared) };
    case "gauge":
      return { kind, it: new Gauge(shared) };
    case "histogram":
      return { kind, it: new Histogram({ ...shared, buckets: SECONDS }) };
  }
}
