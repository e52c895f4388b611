import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { addressOf, findProgram, missing, ServerMissing, type Program } from "./binaries.ts";
import { temporaryFolder } from "./folders.ts";
import { freePort } from "./ports.ts";
import { foreignServer, startServer, type Server } from "./server.ts";
import { runSql } from "./sql.ts";

/** A MariaDB that a Debezium connector can read from. */
export interface Mariadb extends Server {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  /** Runs statements and gives the rows of the answers, columns parted by tabs. Throws what the server objects to. */
  sql(statements: string): Promise<string>;
}

type Place = Omit<Mariadb, keyof Server | "sql">;

/** The user of the connector, who may do everything. */
const USER = { user: "debezium", password: "debezium-secret" } as const;
const DATABASE = "bank";

function fromUrl(address: string): Place {
  const { hostname, port, username, password, pathname } = new URL(address);
  return {
    host: hostname,
    port: Number(port || 3306),
    user: decodeURIComponent(username),
    password: decodeURIComponent(password),
    database: pathname.slice(1) || DATABASE,
  };
}

function find(name: string): Program {
  const program = findProgram("mariadb", name);
  if (program === null) throw new ServerMissing(missing("mariadb") ?? `${name} is not here`);
  return program;
}

function querying(client: Program, args: readonly string[]): Mariadb["sql"] {
  const quiet = ["--no-defaults", "--batch", "--skip-column-names", "--default-character-set=utf8mb4"];
  return (statements) => runSql({ program: client, args: [...quiet, ...args], statements });
}

function queryingAt({ host, port, user, password, database }: Place): Mariadb["sql"] {
  return querying(find("mariadb"), [
    ...["--protocol=TCP", `--host=${host}`, `--port=${port}`],
    ...[`--user=${user}`, `--password=${password}`, database],
  ]);
}

/** Root may run it only when told so by name. */
const asRoot = process.getuid?.() === 0 ? ["--user=root"] : [];

function serverArguments(server: Program, data: string): readonly string[] {
  const base = join(dirname(server.path), "..");
  return ["--no-defaults", `--basedir=${base}`, `--datadir=${data}`, ...asRoot];
}

/**
 * A MariaDB that writes a row-based binary log: the one of MARIADB_TEST_URL, or one that is started for the test.
 * @throws ServerMissing when there is neither.
 */
export async function startMariadb(): Promise<Mariadb> {
  const address = addressOf("mariadb");
  if (address !== null) {
    const place = fromUrl(address);
    return { ...foreignServer("MARIADB_TEST_URL"), ...place, sql: queryingAt(place) };
  }
  const program = find("mariadbd");
  const client = find("mariadb");
  const dataDir = temporaryFolder("mariadb");
  const data = join(dataDir, "data");
  const install = find("mariadb-install-db");
  const silent = ["--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve"];
  await promisify(execFile)(install.path, [...serverArguments(program, data), ...silent], {
    env: { ...process.env, ...install.env },
  });

  const place: Place = { host: "127.0.0.1", port: await freePort(), ...USER, database: DATABASE };
  const socket = join(dataDir, "socket");
  const asAdmin = querying(client, [`--socket=${socket}`, "--user=root"]);
  const server = await startServer({
    name: "MariaDB",
    command: program.path,
    args: [
      ...serverArguments(program, data),
      ...[`--socket=${socket}`, `--pid-file=${join(dataDir, "pid")}`, `--port=${place.port}`],
      ...["--bind-address=127.0.0.1", "--server-id=1", "--log-bin=changes", "--binlog-format=ROW"],
      ...["--binlog-row-image=FULL", "--skip-name-resolve", "--character-set-server=utf8mb4"],
      ...["--innodb-buffer-pool-size=32M", "--innodb-flush-log-at-trx-commit=2", "--skip-ssl"],
    ],
    env: program.env,
    dataDir,
    ready: async () =>
      existsSync(socket) &&
      asAdmin("select 1").then(
        () => true,
        () => false,
      ),
  });
  const { user, password } = USER;
  await asAdmin(`
    CREATE DATABASE ${DATABASE};
    CREATE USER '${user}'@'%' IDENTIFIED BY '${password}';
    GRANT ALL ON *.* TO '${user}'@'%' WITH GRANT OPTION;
  `);
  return { ...server, ...place, sql: queryingAt(place) };
}
