import { spawn, type ChildProcess } from "node:child_process";
import { closeSync, existsSync, openSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { until } from "./ports.ts";

/** A server of a test, and what a test may do to it. */
export interface Server {
  /** False for a server named by the environment: it may be used, and nothing below does anything but throw. */
  readonly ours: boolean;
  /** Where its files are. */
  readonly dataDir: string;
  /** The id of its process; it changes with a restart. */
  pid(): number;
  /** Ends it for good and removes its files. */
  stop(): Promise<void>;
  /** SIGKILL, to all of its processes; resolves when they are gone. Its files stay. */
  kill(): Promise<void>;
  /** Starts it again on the same ports and files, after a kill, or after an orderly end when it is running. */
  restart(): Promise<void>;
  /** SIGSTOP: connections stay open, nothing answers. */
  freeze(): void;
  /** SIGCONT, after a freeze. */
  thaw(): void;
  /** What it has printed so far. */
  log(): string;
}

/** Takes charge of a server that is being started, and sees to its end. */
export type Use = <S extends Server>(starting: Promise<S>) => Promise<S>;

/** How a server is started. */
export interface Launch {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** The user and group to run as; only root can choose. */
  readonly user?: { readonly uid: number; readonly gid: number };
  readonly dataDir: string;
  /** True once it answers; asked again and again. */
  readonly ready: () => Promise<boolean>;
  /** What asks it to end in good order. Default SIGTERM. */
  readonly orderly?: NodeJS.Signals;
  /** What ends it when its files are of no more use. Default SIGKILL; not for servers that leave something outside of their files. */
  readonly final?: NodeJS.Signals;
}

/** How long a start may take, on a machine that is busy with other things. */
const START_MS = 90_000;
const ORDERLY_END_MS = 20_000;

const running = new Set<number>();
process.once("exit", () => {
  for (const pid of running) signal(pid, "SIGKILL");
});

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended by itself.
  }
}

/** A process and all that it started. PostgreSQL puts each of its processes in a group of its own, so a group is not enough. */
function family(pid: number): readonly number[] {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean);
    return [pid, ...children.flatMap((child) => family(Number(child)))];
  } catch {
    return [pid];
  }
}

/** The kernel ends the server when this process dies, however it dies. Elsewhere than on Linux only an orderly exit does. */
function command(launch: Launch): readonly [string, readonly string[]] {
  if (!existsSync("/usr/bin/setpriv")) return [launch.command, launch.args];
  const { user } = launch;
  const identity = user === undefined ? [] : [`--reuid=${user.uid}`, `--regid=${user.gid}`, "--clear-groups"];
  return ["/usr/bin/setpriv", ["--pdeathsig", "KILL", ...identity, launch.command, ...launch.args]];
}

interface Running {
  readonly pid: number;
  readonly ended: Promise<void>;
}

function spawned(launch: Launch, logFile: string): Promise<Running> {
  const log = openSync(logFile, "a");
  const [program, args] = command(launch);
  const child: ChildProcess = spawn(program, args, {
    stdio: ["ignore", log, log],
    env: { ...process.env, ...launch.env },
    cwd: launch.dataDir,
  });
  closeSync(log);
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("spawn", () => {
      const pid = Number(child.pid);
      running.add(pid);
      void ended.then(() => running.delete(pid));
      child.unref();
      resolve({ pid, ended });
    });
  });
}

function tail(text: string): string {
  return text.trim().split("\n").slice(-40).join("\n");
}

/** Starts a server and waits until it is ready. Throws with the end of its log when it is not ready in time, or ends. */
export async function startServer(launch: Launch): Promise<Server> {
  const logFile = join(launch.dataDir, "server.log");
  const log = () => (existsSync(logFile) ? readFileSync(logFile, "utf8") : "");
  let current: Running | null = null;

  const start = async (): Promise<void> => {
    const begun = await spawned(launch, logFile);
    current = begun;
    const patience = AbortSignal.timeout(START_MS);
    const gone = new AbortController();
    void begun.ended.then(() => gone.abort(new Error("it ended")));
    try {
      await until(launch.ready, AbortSignal.any([patience, gone.signal]));
    } catch (cause) {
      await end("SIGKILL");
      throw new Error(`${launch.name} did not start. Its log ends with:\n${tail(log())}`, { cause });
    }
  };

  const end = async (how: NodeJS.Signals): Promise<void> => {
    if (current === null) return;
    const { pid, ended } = current;
    const all = family(pid);
    if (how === "SIGKILL") for (const each of all) signal(each, "SIGKILL");
    else {
      for (const each of all) signal(each, "SIGCONT");
      signal(pid, how);
    }
    const late = setTimeout(() => all.forEach((each) => signal(each, "SIGKILL")), ORDERLY_END_MS);
    await ended;
    clearTimeout(late);
    await until(async () => all.every((each) => !isAlive(each)), AbortSignal.timeout(ORDERLY_END_MS));
    current = null;
  };

  const toAll = (name: NodeJS.Signals): void => {
    if (current !== null) for (const each of family(current.pid)) signal(each, name);
  };

  try {
    await start();
  } catch (error) {
    rmSync(launch.dataDir, { recursive: true, force: true });
    throw error;
  }
  return {
    ours: true,
    dataDir: launch.dataDir,
    pid: () => {
      if (current === null) throw new Error(`${launch.name} is not running`);
      return current.pid;
    },
    stop: async () => {
      await end(launch.final ?? "SIGKILL");
      rmSync(launch.dataDir, { recursive: true, force: true });
    },
    kill: () => end("SIGKILL"),
    restart: async () => {
      await end(launch.orderly ?? "SIGTERM");
      await start();
    },
    freeze: () => toAll("SIGSTOP"),
    thaw: () => toAll("SIGCONT"),
    log,
  };
}

/** A process that has ended but was not collected yet still has an entry: its state is Z. */
function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

/** A server that somebody else runs, named by a variable of the environment. */
export function foreignServer(variable: string): Server {
  const refuse = (): never => {
    throw new Error(`${variable} names a server that is not ours: no test may do that to it`);
  };
  return {
    ours: false,
    dataDir: "",
    pid: refuse,
    stop: () => Promise.resolve(),
    kill: refuse,
    restart: refuse,
    freeze: refuse,
    thaw: refuse,
    log: () => "",
  };
}
