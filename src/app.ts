import { statSync } from "node:fs";
import { resolve } from "node:path";
import { systemClock, type Clock } from "./clock.ts";
import type { Plan } from "./customer/plan.ts";
import { demoSource } from "./demo/demo-source.ts";
import type { BankSettings } from "./demo/journal.ts";
import { Customer360Error } from "./errors.ts";
import { fileSource } from "./ingest/file-source.ts";
import { createPipeline } from "./ingest/pipeline.ts";
import { rederiveAll } from "./ingest/rederive.ts";
import { createRelay } from "./ingest/relay.ts";
import type { SourceRecord } from "./cdc/change.ts";
import { findFiles } from "./ingest/file-progress.ts";
import type { Lag, Source, Unreadable } from "./ingest/source.ts";
import type { Log } from "./log.ts";
import type { Context, Viewer } from "./resolvers/context.ts";
import { createCursors } from "./resolvers/cursor.ts";
import { buildSchema } from "./schema/schema.ts";
import { createServer } from "./server/http.ts";
import { isLoopback } from "./server/origins.ts";
import { openDataDirectory, type DataDirectory } from "./store/data-directory.ts";
import type { Counts, Reads } from "./store/reads.ts";
import { sqliteStore } from "./store/sqlite-store.ts";
import { createHub } from "./updates/hub.ts";
import type { Hub } from "./updates/hub.ts";
import { localUpdates } from "./updates/local-updates.ts";
import type { Updates } from "./updates/updates.ts";

/** Where records come from: the demo's bank, or a folder of files, read to its end or watched. */
export type SourceOptions =
  | ({ readonly kind: "demo" } & BankSettings)
  | { readonly kind: "files"; readonly dir: string; readonly follow: boolean };

/** How to serve. */
export interface ServeOptions {
  readonly host: string;
  readonly port: number;
  /** Allows an address that is not loopback although nobody is authenticated. */
  readonly insecure: boolean;
  readonly graphiql: boolean;
  /** Null for one kept in the data directory. */
  readonly cursorSecret: string | null;
}

/** What to run. */
export interface AppOptions {
  readonly plan: Plan;
  /** Absolute path of the directory that holds everything. */
  readonly dataDir: string;
  /** Forgets what the data directory held. */
  readonly fresh: boolean;
  /** Null to serve what is there and ingest nothing. */
  readonly source: SourceOptions | null;
  /** Null to ingest and serve nothing. */
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

/** What a step of the stop may take before the next one begins, and all of them together, milliseconds. */
const STOP_STEP_MS = 3_000;
const STOP_MS = 9_000;

/** A process's parts, built in the order they depend on one another. */
interface Parts {
  readonly directory: DataDirectory;
  readonly store: ReturnType<typeof sqliteStore>;
  readonly updates: Updates;
  readonly source: Source | null;
}

function openParts(options: AppOptions, clock: Clock): Parts {
  const { plan, source } = options;
  const directory = openDataDirectory(options.dataDir, { fresh: options.fresh });
  try {
    return {
      directory,
      store: sqliteStore({ path: directory.store, plan }),
      updates: localUpdates({ path: directory.updates, clock }),
      source:
        source === null
          ? null
          : overheard(openSource(source, { plan, clock, journal: directory.journal }), options.onUnreadable),
    };
  } catch (error) {
    directory.release();
    throw error;
  }
}

function openSource(
  source: SourceOptions,
  { plan, clock, journal }: { plan: Plan; clock: Clock; journal: string },
): Source {
  return source.kind === "demo"
    ? demoSource({ ...source, path: journal, clock })
    : fileSource({ dir: source.dir, tables: plan.tables, clock, follow: source.follow });
}

function overheard(source: Source, tell: (found: Unreadable) => void = () => {}): Source {
  return {
    ...source,
    unreadable: () => {
      const found = source.unreadable();
      found.forEach(tell);
      return found;
    },
  };
}

/** Refuses a folder that is not there before anything is made: waiting for it would look like having nothing to do. */
function guardFolder(dir: string): void {
  const path = resolve(dir);
  const found = statSync(path, { throwIfNoEntry: false });
  if (found?.isDirectory() === true) return;
  const text = found === undefined ? "does not exist" : "is no folder";
  throw new Customer360Error("SETTINGS_INVALID", `the folder of records ${path} ${text}`);
}

/** Refuses to show customers to a network without anybody asking who looks. */
function guardAddress({ host, insecure }: ServeOptions, log: Log): void {
  if (!isLoopback(host) && !insecure) {
    throw new Customer360Error(
      "NOT_LOOPBACK",
      `without authentication only loopback addresses are served, not ${host}; --insecure lifts this for trusted networks`,
    );
  }
  log.warn("no authentication: whoever reaches this address sees every customer", { host });
}

/** One step of the stop: its name for the log, and what it waits for. */
type StopStep = (name: string, work: () => Promise<unknown>) => Promise<void>;

/** Runs the steps of a stop: each is waited for, but no longer than its share, and all of them no longer than the deadline. */
function createStop(log: Log): StopStep {
  const begunMs = systemClock.nowMs();
  return async (name, work) => {
    const patience = new AbortController();
    const leftMs = Math.max(0, begunMs + STOP_MS - systemClock.nowMs());
    const late = systemClock.wait(Math.min(STOP_STEP_MS, leftMs), patience.signal).then(() => {
      if (!patience.signal.aborted) log.warn("stopping without waiting any longer", { for: name });
    });
    const done = work().catch((error: unknown) =>
      log.error("stopping", { step: name, error: String(error) }),
    );
    await Promise.race([done, late]);
    patience.abort();
  };
}

/** The GraphQL side: hub, schema and server. */
function createServing(options: AppOptions & { serve: ServeOptions }, parts: Parts, clock: Clock) {
  const { plan, log, serve } = options;
  const reads: Reads = parts.store;
  const hub: Hub = createHub({ updates: parts.updates, clock, log });
  const secret = serve.cursorSecret ?? parts.directory.cursorSecret();
  const cursors = createCursors(typeof secret === "string" ? new TextEncoder().encode(secret) : secret);
  const { source, store } = parts;
  const ingest = source === null ? null : { lag: () => source.lag(), checkpoints: () => store.checkpoints() };
  const contextFor = (viewer: Viewer): Context => ({
    viewer,
    plan,
    reads,
    hub,
    cursors,
    ingest,
    clock,
    log,
  });
  let ready = false;
  const server = createServer({
    schema: buildSchema(plan),
    contextFor,
    graphiql: serve.graphiql,
    status: { ready: () => ready },
    log,
  });
  return {
    async start(): Promise<string> {
      await hub.start();
      const { url } = await server.listen(serve.host, serve.port);
      ready = true;
      return url;
    },
    notReady: () => void (ready = false),
    async stop(step: StopStep): Promise<void> {
      hub.drain();
      await step("open streams", () => server.drain());
      await step("server", () => server.close());
      await step("hub", () => hub.close());
    },
  };
}

/** The ingest side: the pipeline and, beside it, the relay for what no record will bring about. */
function createIngest(options: AppOptions, parts: Parts, clock: Clock) {
  const { plan, log } = options;
  const { source, store, updates } = parts;
  const stopping = new AbortController();
  const shared = { plan, store, updates, clock, log };
  const run = async (): Promise<void> => {
    const relayed = createRelay(shared).run(stopping.signal);
    if (source === null) return relayed;
    try {
      await createPipeline({ ...shared, source }).run(stopping.signal);
    } finally {
      stopping.abort();
      await relayed;
    }
  };
  return {
    run,
    /** Brings what is stored under the plan, before anything is served or ingested. */
    prepare: () => rederiveAll({ plan, store, clock, log, signal: stopping.signal }),
    abort: () => stopping.abort(),
  };
}

/** Puts one process together: the only place that knows which adapter stands behind which port. */
export function createApp(options: AppOptions): App {
  const { log, serve, clock = systemClock } = options;
  if (serve !== null) guardAddress(serve, log);
  if (options.source?.kind === "files") guardFolder(options.source.dir);
  const parts = openParts(options, clock);
  const serving = serve === null ? null : createServing({ ...options, serve }, parts, clock);
  const ingest = createIngest(options, parts, clock);
  let finished: Promise<void> | null = null;
  let stopped: Promise<void> | null = null;

  const close = async (): Promise<void> => {
    serving?.notReady();
    ingest.abort();
    const step = createStop(log);
    await step("ingest", async () => finished);
    await serving?.stop(step);
    await step("source", async () => parts.source?.close());
    await step("updates", () => parts.updates.close());
    await step("store", () => parts.store.close());
    parts.directory.release();
  };
  return {
    async start() {
      await ingest.prepare();
      const url = (await serving?.start()) ?? null;
      finished = ingest.run();
      finished.catch(() => serving?.notReady());
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

/** What a look at a folder's files brought. */
export interface Sample {
  readonly records: readonly SourceRecord[];
  /** What came before the last of these records and could not be read. */
  readonly unreadable: readonly Unreadable[];
}

/** The first records of a folder's files, for a look at them; at most `limit`. Throws SETTINGS_INVALID without the folder. */
export async function readSample(options: {
  readonly plan: Plan;
  readonly dir: string;
  readonly limit: number;
}): Promise<Sample> {
  const { plan, dir, limit } = options;
  guardFolder(dir);
  const source = fileSource({ dir, tables: plan.tables, clock: systemClock, follow: false });
  const records: SourceRecord[] = [];
  const unreadable: Unreadable[] = [];
  try {
    await source.start(() => Promise.resolve([]));
    for (let batches = await source.next(NEVER); batches !== null; batches = await source.next(NEVER)) {
      records.push(...batches.flatMap((batch) => batch.records));
      unreadable.push(...source.unreadable());
      if (records.length >= limit) break;
    }
    unreadable.push(...source.unreadable());
  } finally {
    await source.close();
  }
  return { records: records.slice(0, limit), unreadable };
}

/** True when a folder has files that could hold records. Throws when it cannot be listed. */
export async function hasRecordFiles(dir: string): Promise<boolean> {
  return (await findFiles(dir)).length > 0;
}

const NEVER = new AbortController().signal;
