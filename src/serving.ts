import type { Adapters } from "./adapters.ts";
import type { Clock } from "./clock.ts";
import type { Plan } from "./customer/plan.ts";
import { codeOf, Customer360Error } from "./errors.ts";
import { isReplayed } from "./ingest/replay/progress.ts";
import type { Log } from "./log.ts";
import type { Prometheus } from "./prometheus.ts";
import type { Context, Viewer } from "./resolvers/context.ts";
import { createCursors } from "./resolvers/frames/cursor.ts";
import { buildSchema } from "./schema/schema.ts";
import { createServer } from "./server/http.ts";
import { isLoopback } from "./server/origins.ts";
import { createProbeServer } from "./server/probe-server.ts";
import type { Status } from "./server/probes.ts";
import type { StopStep } from "./stop.ts";
import { createHub, type Hub } from "./updates/hub.ts";

/** How to serve. */
export interface ServeOptions {
  readonly host: string;
  readonly port: number;
  /** Allows an address that is not loopback although nobody is authenticated. */
  readonly insecure: boolean;
  readonly graphiql: boolean;
  /** Origins such as `https://bank.example` whose pages may use the API; none by default. */
  readonly origins?: readonly string[];
  /** Null for one kept in the data directory. */
  readonly cursorSecret: string | null;
}

/** What serving takes. */
export interface ServingOptions {
  readonly plan: Plan;
  readonly serve: ServeOptions;
  readonly log: Log;
  readonly clock: Clock;
  readonly metrics: Prometheus;
  /** How the process is doing, once it has started. */
  readonly status: Status;
}

/** What answers on a port. */
export interface Serving {
  /** Answers where. Throws PORT_IN_USE, or SETTINGS_INVALID for an address that cannot be listened on. */
  start(): Promise<string>;
  /** Says why no more work should be sent here. */
  notReady(reason: string): void;
  stop(step: StopStep): Promise<void>;
}

/** Refuses to show customers to a network without anybody asking who looks. */
export function guardAddress({ host, insecure }: ServeOptions): void {
  if (!isLoopback(host) && !insecure) {
    throw new Customer360Error(
      "NOT_LOOPBACK",
      `without authentication only loopback addresses are served, not ${host}; --insecure lifts this for trusted networks`,
    );
  }
}

/** Says who sees customers, once it is said where they are. */
export function warnOfOpenness({ host }: ServeOptions, log: Log): void {
  log.warn("no authentication: whoever reaches this address sees every customer", { host });
}

/** What signs cursors: as given, or as kept with the data. Throws SETTINGS_INVALID when there is neither. */
function secretOf({ cursorSecret }: ServeOptions, kept: Adapters["cursorSecret"]): Uint8Array {
  const secret = cursorSecret === null ? kept() : new TextEncoder().encode(cursorSecret);
  if (secret !== null) return secret;
  throw new Customer360Error(
    "SETTINGS_INVALID",
    "CURSOR_SECRET is missing: processes that share a store sign cursors with the same secret of at least 32 characters",
  );
}

/** Why a process is not ready, if it is not: its own reason first, then those of what it depends on. */
function readiness(
  inner: Status,
  metrics: Prometheus,
): { readonly status: Status; say(reason: string | null): void } {
  let own: string | null = "starting";
  const reasons = () => (own === null ? inner.reasons() : [own]);
  metrics.lookFirst(() => {
    metrics.set("ready", reasons().length === 0 ? 1 : 0);
    metrics.set("warnings", inner.warnings?.().length ?? 0);
  });
  return {
    say: (reason) => void (own = reason),
    status: { ...inner, reasons, metrics: () => metrics.read() },
  };
}

/** True once the hub reads the stream, false when the stream is away. */
async function isBegun(hub: Hub): Promise<boolean> {
  try {
    await hub.start();
    return true;
  } catch (error) {
    if (codeOf(error) !== "UPDATES_UNAVAILABLE") throw error;
    return false;
  }
}

/** Begins to read the stream as soon as it is there: until then queries are answered, and subscriptions told to come back. */
async function begin(
  hub: Hub,
  { clock, log, signal }: Pick<ServingOptions, "clock" | "log"> & { readonly signal: AbortSignal },
): Promise<void> {
  log.warn("the update stream is away: subscriptions begin once it is there");
  do await clock.wait(RETRY_MS, signal);
  while (!signal.aborted && !(await isBegun(hub)));
  if (!signal.aborted) log.info("the update stream is there: subscriptions begin");
}

const RETRY_MS = 500;

/** Serves customers: hub, schema and server. */
export function serveCustomers(
  { plan, serve, log, clock, metrics, status }: ServingOptions,
  { source, store, updates, cursorSecret }: Pick<Adapters, "source" | "store" | "updates" | "cursorSecret">,
): Serving {
  const hub = createHub({ updates, clock, log, metrics });
  const cursors = createCursors(secretOf(serve, cursorSecret));
  const checkpoints = async () => (await store.checkpoints()).filter((one) => !isReplayed(one));
  const ingest = source === null ? null : { lag: () => source.lag(), checkpoints };
  const ready = readiness(status, metrics);
  metrics.lookFirst(() => {
    metrics.set("subscriptions", hub.size());
    metrics.set("watched", hub.watched());
  });
  const server = createServer({
    schema: buildSchema(plan),
    contextFor: (viewer: Viewer): Context => ({
      viewer,
      plan,
      reads: store,
      hub,
      cursors,
      ingest,
      clock,
      log,
      metrics,
    }),
    graphiql: serve.graphiql,
    origins: serve.origins ?? [],
    status: ready.status,
    log,
  });
  const stopping = new AbortController();
  return {
    async start() {
      if (!(await isBegun(hub))) void begin(hub, { clock, log, signal: stopping.signal });
      const { url } = await server.listen(serve.host, serve.port);
      ready.say(null);
      return url;
    },
    notReady: ready.say,
    async stop(step) {
      stopping.abort();
      hub.drain();
      await step("open streams", () => server.drain());
      await step("server", () => server.close());
      await step("hub", () => hub.close());
    },
  };
}

/** Serves nothing but what a process that only ingests tells about itself. */
export function serveProbes({ serve, metrics, status }: ServingOptions): Serving {
  const ready = readiness(status, metrics);
  const server = createProbeServer(ready.status);
  return {
    async start() {
      const { url } = await server.listen(serve.host, serve.port);
      ready.say(null);
      return url;
    },
    notReady: ready.say,
    stop: (step) => step("server", () => server.close()),
  };
}
