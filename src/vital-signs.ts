import { monitorEventLoopDelay } from "node:perf_hooks";
import type { Metrics } from "./metrics.ts";

/** How often the event loop's delay is sampled, milliseconds: what a loop without work shows as its delay. */
const SAMPLED_MS = 20;
const NANOSECONDS = 1e9;

/** Brings the metrics of the process itself up to date: memory, event loop, processor. */
export function vitalSigns(metrics: Metrics): () => void {
  const delay = monitorEventLoopDelay({ resolution: SAMPLED_MS });
  delay.enable();
  metrics.set("start_time_seconds", Math.round(Date.now() / 1_000 - process.uptime()));
  return () => {
    const { rss, heapUsed, external } = process.memoryUsage();
    metrics.set("memory_bytes", rss, "resident");
    metrics.set("memory_bytes", heapUsed, "heap");
    metrics.set("memory_bytes", external, "external");
    const { user, system } = process.cpuUsage();
    metrics.total("cpu_seconds_total", (user + system) / 1e6);
    if (delay.count === 0) return;
    metrics.set("event_loop_delay_seconds", late(delay.percentile(50)), "p50");
    metrics.set("event_loop_delay_seconds", late(delay.percentile(99)), "p99");
    metrics.set("event_loop_delay_seconds", late(delay.max), "max");
    delay.reset();
  };
}

/** What of a measured interval was too late. */
function late(nanoseconds: number): number {
  return Math.max(0, nanoseconds / NANOSECONDS - SAMPLED_MS / 1_000);
}
