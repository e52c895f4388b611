import { createApp, type App, type AppOptions } from "../app.ts";
import type { Terminal } from "./terminal.ts";

/** A server run from its start to its end. */
export interface Service {
  readonly app: AppOptions;
  /** Called once it serves, with its address. */
  readonly started: (url: string, app: App) => void;
}

/** Runs an app until the signal aborts or ingest fails; answers once everything is closed, and passes the failure on. */
export async function serveUntil(signal: AbortSignal, service: Service): Promise<void> {
  const app = createApp(service.app);
  try {
    const url = await app.start();
    service.started(url ?? "", app);
    await Promise.race([aborted(signal), app.finished()]);
  } finally {
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
export function announce(terminal: Terminal, url: string): void {
  terminal.err(`serving ${url}/graphql (GraphiQL in a browser), ${url}/healthz, ${url}/readyz\n`);
}
