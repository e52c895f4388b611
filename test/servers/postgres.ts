import { execFile } from "node:child_process";
import { chownSync, cpSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { promisify } from "node:util";
import { addressOf, cached, findProgram, missing, ServerMissing, type Program } from "./binaries.ts";
import { temporaryFolder } from "./folders.ts";
import { freePort } from "./ports.ts";
import { foreignServer, startServer, type Server } from "./server.ts";
import { runSql } from "./sql.ts";

/** A PostgreSQL that a Debezium connector can read from. */
export interface Postgres extends Server {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  /** Runs statements and gives the rows of the answers, columns parted by `|`. Throws what the server objects to. */
  sql(statements: string): Promise<string>;
}

interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** PostgreSQL refuses to run as root: it gets the account made for it, or `nobody`. */
function account(): Account | null {
  if (process.getuid?.() !== 0) return null;
  const accounts = readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .map((line) => line.split(":"));
  const [, , uid, gid] = accounts.find(([name]) => name === "postgres") ??
    accounts.find(([name]) => name === "nobody") ?? ["", "", "65534", "65534"];
  return { uid: Number(uid), gid: Number(gid) };
}

/** An unpacked server below the home folder of root cannot be read by anybody else: it is copied beside its data. */
function readable(program: Program, folder: string, as: Account | null): Program {
  const home = cached("postgres");
  if (as === null || !program.path.startsWith(home)) return program;
  const copy = join(folder, "programs");
  cpSync(home, copy, { recursive: true });
  const moved = (path: string) => (path.startsWith(home) ? join(copy, relative(home, path)) : path);
  const libraries = program.env["LD_LIBRARY_PATH"] ?? "";
  return {
    path: moved(program.path),
    env: { LD_LIBRARY_PATH: libraries.split(":").map(moved).join(":") },
  };
}

const SETTINGS: Readonly<Record<string, string>> = {
  wal_level: "logical",
  max_wal_senders: "10",
  max_replication_slots: "10",
  listen_addresses: "127.0.0.1",
  // What a process has written survives its kill; only the loss of power would need the disk to have it.
  fsync: "off",
};

async function initialise(program: Program, data: string, as: Account | null): Promise<void> {
  const initdb = join(dirname(program.path), "initdb");
  const options = ["-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"];
  const env = { ...process.env, ...program.env };
  if (as === null) await promisify(execFile)(initdb, options, { env });
  else {
    const identity = [`--reuid=${as.uid}`, `--regid=${as.gid}`, "--clear-groups"];
    await promisify(execFile)("setpriv", [...identity, initdb, ...options], { env });
  }
}

function fromUrl(address: string): Omit<Postgres, keyof Server | "sql"> {
  const { hostname, port, username, password, pathname } = new URL(address);
  return {
    host: hostname,
    port: Number(port || 5432),
    user: decodeURIComponent(username),
    password: decodeURIComponent(password),
    database: pathname.slice(1) || "postgres",
  };
}

function querying(place: Omit<Postgres, keyof Server | "sql">): Postgres["sql"] {
  const psql = findProgram("postgres", "psql");
  if (psql === null)
    throw new ServerMissing("psql is neither installed nor obtained: npm run servers -- postgres");
  const { host, port, user, password, database } = place;
  const args = ["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"];
  return (statements) =>
    runSql({
      program: { path: psql.path, env: { ...psql.env, PGPASSWORD: password } },
      args: [...args, "-h", host, "-p", String(port), "-U", user, "-d", database],
      statements,
    });
}

/**
 * A PostgreSQL with `wal_level=logical`: the one of POSTGRES_TEST_URL, or one that is started for the test.
 * @throws ServerMissing when there is neither.
 */
export async function startPostgres(): Promise<Postgres> {
  const address = addressOf("postgres");
  if (address !== null) {
    const place = fromUrl(address);
    return { ...foreignServer("POSTGRES_TEST_URL"), ...place, sql: querying(place) };
  }
  const found = findProgram("postgres", "postgres");
  if (found === null) throw new ServerMissing(missing("postgres") ?? "postgres is not here");
  const port = await freePort();
  const place = { host: "127.0.0.1", port, user: "postgres", password: "postgres", database: "postgres" };
  const sql = querying(place);
  const dataDir = temporaryFolder("postgres");
  const as = account();
  if (as !== null) chownSync(dataDir, as.uid, as.gid);
  const program = readable(found, dataDir, as);
  const data = join(dataDir, "data");
  await initialise(program, data, as);
  const settings = { ...SETTINGS, port: String(port), unix_socket_directories: dataDir };
  const server = await startServer({
    name: "PostgreSQL",
    command: program.path,
    args: ["-D", data, ...Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`])],
    env: program.env,
    ...(as === null ? {} : { user: as }),
    dataDir,
    ready: () =>
      sql("select 1").then(
        () => true,
        () => false,
      ),
    // Its orderly end would wait for every client to leave; killed, it would leave its shared memory behind.
    orderly: "SIGINT",
    final: "SIGINT",
  });
  return { ...server, ...place, sql };
}
