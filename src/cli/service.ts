import { createApp, type App, type AppOptions } from "../app.ts";
import type { Terminal } from "./terminal.ts";

/** A server run from its start to its end. */
export interface Service {
  readonly app: AppOptions;
  /** Runs beside the server once it serves at an address, and ends when the signal aborts. */
  readonly beside: (url: string, app: App, running: AbortSignal) => Promise<void>;
}

/** Runs an app until the signal aborts or ingest fails; answers once everything is closed, and passes the failure on. */
export async function serveUntil(signal: AbortSignal, service: Service): Promise<void> {
  const app = await createApp(service.app);
  const ended = new AbortController();
  let beside: Promise<void> = Promise.resolve();
  try {
    const url = await app.start();
    beside = service.beside(url ?? "", app, AbortSignal.any([signal, ended.signal]));
    await Promise.race([aborted(signal), app.finished(), beside.then(() => aborted(signal))]);
  } finally {
    ended.abort();
    await Promise.allSettled([beside]);
    await app.stop();
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

/** Says where to find what a server serves. */
export function announce(terminal: Terminal, url: string): Promise<void> {
  terminal.err(`serving ${url}/graphql (GraphiQL in a browser), ${url}/healthz, ${url}/readyz\n`);
  return Promise.resolve();
}
