import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { temporaryFolder } from "./folders.ts";
import { freePort } from "./ports.ts";
import { startServer, type Server } from "./server.ts";

/** One process of ours, as an operator starts it. */
export interface Program extends Server {
  readonly url: string;
  readonly port: number;
}

/** What a process is to do. */
export type ProgramRole = "all" | "ingest" | "api";

/** The command line that docker-compose.yml and the tests on real servers share. */
export function startArguments(pipeline: string, role: ProgramRole): readonly string[] {
  return ["start", pipeline, "--role", role];
}

/** How a process is to be started. */
export interface ProgramOptions {
  readonly role: ProgramRole;
  readonly pipeline: string;
  /** Where the servers are, and whatever else the environment says. */
  readonly env: Readonly<Record<string, string>>;
  /** True to go on as soon as it answers at all; by default once it says that it is ready. */
  readonly unready?: boolean;
}

const root = join(import.meta.dirname, "../..");
let built = false;

/** Builds what is run, once for each test process: a stale build would be another program than the one under test. */
function build(): void {
  if (built) return;
  execFileSync(process.execPath, [join(root, "scripts/build.mjs")], { cwd: root, stdio: "pipe" });
  built = true;
}

async function isReady(url: string, unready: boolean): Promise<boolean> {
  try {
    const path = unready ? "healthz" : "readyz";
    const { ok } = await fetch(`${url}/${path}`, { signal: AbortSignal.timeout(2_000) });
    return ok;
  } catch {
    return false;
  }
}

/** Starts `customer360 start` as a process of its own, on a free port. */
export async function startProgram({
  role,
  pipeline,
  env,
  unready = false,
}: ProgramOptions): Promise<Program> {
  build();
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const dataDir = temporaryFolder(`program-${role}`);
  const server = await startServer({
    name: `customer360 start --role ${role}`,
    command: process.execPath,
    args: [join(root, "dist/main.js"), ...startArguments(pipeline, role), "--port", String(port)],
    env: { NODE_OPTIONS: "", DATA_DIR: join(dataDir, "data"), ...env },
    dataDir,
    ready: () => isReady(url, unready),
    final: "SIGTERM",
  });
  return { ...server, url, port };
}
