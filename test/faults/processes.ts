import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { temporaryFolder } from "../servers/folders.ts";
import { freePort } from "../servers/ports.ts";
import { startServer, type Server } from "../servers/server.ts";

/** A process of ours that may be killed at any time. It counts as started once it answers at all. */
export interface OurProcess extends Server {
  readonly name: string;
  readonly url: string;
}

/** How a process of ours is started. */
export interface OurOptions {
  /** Folder of the built program. */
  readonly dist: string;
  readonly role: "ingest" | "api";
  readonly at: number;
  readonly pipeline: string;
  readonly env: Readonly<Record<string, string>>;
}

async function answersAt(url: string): Promise<boolean> {
  try {
    const { ok } = await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(2_000) });
    return ok;
  } catch {
    return false;
  }
}

/** How long a process that ends at its start is started again, and the pauses between, milliseconds. */
const PATIENCE_MS = 120_000;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 5_000;

/**
 * What a supervisor does: a process that ends at its start, as when the store is not there yet, is started again after growing pauses.
 * Rejects with the last reason once that has gone on for too long.
 */
async function supervised(start: () => Promise<void>): Promise<void> {
  const untilMs = performance.now() + PATIENCE_MS;
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(LONGEST_PAUSE_MS, 2 * pauseMs)) {
    try {
      await start();
      return;
    } catch (error) {
      if (performance.now() + pauseMs > untilMs) throw error;
      await delay(pauseMs);
    }
  }
}

/** Starts `customer360 start` from a built program, which may be one with a planted fault. */
export async function startOurs({ dist, role, at, pipeline, env }: OurOptions): Promise<OurProcess> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const dataDir = temporaryFolder(`faults-${role}`);
  const name = `${role} ${at}`;
  const server = await startServer({
    name,
    command: process.execPath,
    args: [join(dist, "main.js"), "start", pipeline, "--role", role, "--port", String(port)],
    env: { NODE_OPTIONS: "", NO_COLOR: "1", DATA_DIR: join(dataDir, "data"), ...env },
    dataDir,
    ready: () => answersAt(url),
    final: "SIGTERM",
  });
  return { ...server, name, url, restart: () => supervised(() => server.restart()) };
}
