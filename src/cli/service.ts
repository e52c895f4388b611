import { createApp, type App, type AppOptions } from "../app.ts";
import { aborted } from "../clock.ts";
import type { Role, Settings } from "../config.ts";
import { reported, type Log } from "../log.ts";
import { warnOfOpenness, type ServeOptions } from "../serving.ts";
import { keepHeapSmall } from "./heap.ts";

/** A server run from its start to its end. */
export interface Service {
  readonly app: AppOptions;
  /** Runs beside the server once it serves at an address, and ends when the signal aborts. */
  readonly beside: (url: string, app: App, running: AbortSignal) => Promise<void>;
}

/**
 * Runs an app until the signal aborts, ingest fails or something throws that nobody catches; answers once everything is closed, and
 * passes the failure on. After a failure that nobody caught nothing is known to be whole: the process drains and ends.
 */
export async function serveUntil(signal: AbortSignal, service: Service): Promise<void> {
  keepHeapSmall();
  const crash = watchForCrash(service.app.log);
  try {
    await serveWatched(signal, service, crash.failure);
  } finally {
    crash.forget();
  }
}

async function serveWatched(signal: AbortSignal, service: Service, crashed: Promise<never>): Promise<void> {
  const app = await createApp(service.app);
  const ended = new AbortController();
  let beside: Promise<void> = Promise.resolve();
  try {
    const url = await Promise.race([app.start(), crashed]);
    beside = service.beside(url ?? "", app, AbortSignal.any([signal, ended.signal]));
    const { serve, role, log } = service.app;
    if (serve !== null && role !== "ingest") warnOfOpenness(serve, log);
    await Promise.race([aborted(signal), app.finished(), crashed, beside.then(() => aborted(signal))]);
  } finally {
    ended.abort();
    await Promise.allSettled([beside]);
    await app.stop();
  }
}

/** Rejects with the first failure that nobody catches; those that follow are logged. */
function watchForCrash(log: Log): { readonly failure: Promise<never>; forget(): void } {
  let fail: (error: unknown) => void = () => {};
  const failure = new Promise<never>((_, reject) => (fail = reject));
  failure.catch(() => {});
  const met = (error: unknown): void => {
    log.error("a failure that nobody caught: the process stops", reported(error));
    fail(error);
  };
  // Also told of rejected promises, as long as nobody listens for those.
  process.on("uncaughtException", met);
  return { failure, forget: () => void process.off("uncaughtException", met) };
}

/** How settings want an app to serve; `insecure`: also beyond loopback. */
export function serveOptions(
  { host, port, graphiql, allowedOrigins, cursorSecret }: Settings,
  insecure: boolean,
): ServeOptions {
  return { host, port, graphiql, cursorSecret, insecure, origins: allowedOrigins ?? [] };
}

/** Says where to find what a server serves. */
export function announce(log: Log, url: string, role: Role): Promise<void> {
  const probes = `${url}/healthz, ${url}/readyz, ${url}/metrics`;
  log.info(
    role === "ingest" ? `serving ${probes}` : `serving ${url}/graphql (GraphiQL in a browser), ${probes}`,
  );
  return Promise.resolve();
}
