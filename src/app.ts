import { closeAdapters, openAdapters, type AdapterOptions, type Adapters } from "./adapters.ts";
import { aborted, systemClock, type Clock } from "./clock.ts";
import type { Role } from "./config.ts";
import { createHealth, type Health } from "./health.ts";
import { createPipeline } from "./ingest/pipeline.ts";
import { rederiveAll } from "./ingest/rederive.ts";
import { createRelay } from "./ingest/relay.ts";
import type { Lag, Source, Unreadable } from "./ingest/source.ts";
import { createSetbacks, type Setbacks } from "./ingest/waiting/setbacks.ts";
import type { Log } from "./log.ts";
import { createPrometheus, type Prometheus } from "./prometheus.ts";
import { guardPort } from "./server/listening.ts";
import { guardAddress, serveCustomers, serveProbes, type ServeOptions, type Serving } from "./serving.ts";
import { createStop } from "./stop.ts";
import type { Counts } from "./store/reads.ts";
import { vitalSigns } from "./vital-signs.ts";

/** What to run. */
export interface AppOptions extends AdapterOptions {
  /** What this process does; default `all`. One that serves only neither ingests nor relays. */
  readonly role?: Role;
  /** Null to serve nothing. */
  readonly serve: ServeOptions | null;
  readonly log: Log;
  /** Told of everything the source could not read, as it is found. */
  readonly onUnreadable?: (found: Unreadable) => void;
  readonly clock?: Clock;
}

/** A running program. */
export interface App {
  /** Answers where it serves; null when it serves nothing. */
  start(): Promise<string | null>;
  /** Settles when ingest ends: by itself at the end of its source, by `stop`, or with the failure that ended it. */
  finished(): Promise<void>;
  /** Ends ingest after the batch in hand; what it did can still be asked for. */
  stopIngest(): Promise<void>;
  counts(): Promise<Counts>;
  lag(): Promise<readonly Lag[]>;
  /** Not ready, finish the batch in hand, end streams with a resumable code, close; within ten seconds. Safe to repeat. */
  stop(): Promise<void>;
}

/** Lets somebody know of what a source cannot read, on its way to quarantine. */
function overheard(source: Source | null, tell: (found: Unreadable) => void = () => {}): Source | null {
  if (source === null) return null;
  return {
    start: (checkpoints) => source.start(checkpoints),
    next: (signal) => source.next(signal),
    acknowledge: (checkpoints) => source.acknowledge(checkpoints),
    unreadable: () => {
      const found = source.unreadable();
      found.forEach(tell);
      return found;
    },
    lag: () => source.lag(),
    close: () => source.close(),
  };
}

/** What everything in a process shares. */
interface Beside {
  readonly clock: Clock;
  readonly metrics: Prometheus;
  readonly setbacks: Setbacks;
}

/** The ingest side: the pipeline and, beside it, the relay for what no record will bring about. */
function createIngest({ plan, log, role }: AppOptions, { source, store, updates }: Adapters, beside: Beside) {
  const stopping = new AbortController();
  const { clock, metrics } = beside;
  const shared = { plan, store, updates, log, ...beside };
  const stopped = aborted(stopping.signal);
  const work = async (): Promise<void> => {
    const relayed = createRelay(shared).run(stopping.signal);
    if (source === null) return relayed;
    const pipeline = createPipeline({ ...shared, source });
    metrics.lookFirst(() => metrics.set("unpublished_customers", pipeline.unpublished()));
    try {
      await pipeline.run(stopping.signal);
    } finally {
      stopping.abort();
      await relayed;
    }
  };
  return {
    run: () => (role === "api" ? stopped : work()),
    /** Brings what is stored under the plan, before anything is served or ingested. */
    prepare: async () => {
      if (role !== "api") await rederiveAll({ plan, store, clock, log, signal: stopping.signal });
    },
    abort: () => stopping.abort(),
  };
}

function createServing(
  options: AppOptions,
  parts: Adapters,
  beside: Beside & { readonly health: Health },
): Serving | null {
  const { plan, serve, log, role } = options;
  if (serve === null) return null;
  const { metrics } = beside;
  metrics.lookFirst(vitalSigns(metrics));
  metrics.lookFirst(() => parts.look(metrics));
  const serving = { plan, serve, log, ...beside, status: beside.health.status };
  return role === "ingest" ? serveProbes(serving) : serveCustomers(serving, parts);
}

/** Puts one process together. Rejects with a code when its settings, its data directory or its servers do not allow it. */
export async function createApp(options: AppOptions): Promise<App> {
  const { log, serve, role, clock = systemClock } = options;
  if (serve !== null && role !== "ingest") guardAddress(serve);
  if (serve !== null) await guardPort(serve.host, serve.port);
  const opened = await openAdapters(options, { clock, log });
  const parts: Adapters = { ...opened, source: overheard(opened.source, options.onUnreadable) };
  const beside = { clock, metrics: createPrometheus(), setbacks: createSetbacks(clock) };
  const ingest = createIngest(options, parts, beside);
  const health = createHealth({ plan: options.plan, parts, log, ...beside });
  const looking = new AbortController();
  let serving: Serving | null;
  try {
    serving = createServing(options, parts, { ...beside, health });
  } catch (error) {
    await closeAdapters(parts, createStop(log));
    throw error;
  }
  let finished: Promise<void> | null = null;
  let stopped: Promise<void> | null = null;

  const close = async (): Promise<void> => {
    serving?.notReady("stopping");
    ingest.abort();
    looking.abort();
    const step = createStop(log);
    await step("ingest", async () => finished);
    await serving?.stop(step);
    await closeAdapters(parts, step);
  };
  return {
    async start() {
      await health.begin();
      await ingest.prepare();
      if (serving !== null) void health.run(looking.signal);
      const url = (await serving?.start()) ?? null;
      finished = ingest.run();
      finished.catch(() => serving?.notReady("ingest failed"));
      return url;
    },
    finished: () => finished ?? Promise.resolve(),
    stopIngest() {
      ingest.abort();
      return finished ?? Promise.resolve();
    },
    counts: () => parts.store.counts(),
    lag: async () => (await parts.source?.lag()) ?? [],
    stop: () => (stopped ??= close()),
  };
}
