import { existsSync, readdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";

/** What `npm run servers` obtains, under the names it knows. */
export type ServerName =
  | "redis"
  | "mongo"
  | "kafka"
  | "debezium-postgres"
  | "debezium-mariadb"
  | "mongo-sink"
  | "postgres"
  | "mariadb";

/** The variable that names a server which is running already, for those servers that have one. */
export const ADDRESS: Readonly<Partial<Record<ServerName, string>>> = {
  redis: "REDIS_TEST_URL",
  mongo: "MONGODB_TEST_URI",
  kafka: "KAFKA_TEST_BROKERS",
  postgres: "POSTGRES_TEST_URL",
  mariadb: "MARIADB_TEST_URL",
};

const PROGRAMS: Readonly<Partial<Record<ServerName, string>>> = {
  redis: "redis-server",
  postgres: "postgres",
  mariadb: "mariadbd",
};

/** A program and what it needs to find its libraries when it was unpacked instead of installed. */
export interface Program {
  readonly path: string;
  readonly env: Readonly<Record<string, string>>;
}

/** The folder of a server below the cache that `npm run servers` fills (scripts/servers.mjs knows the same default). */
export function cached(name: ServerName): string {
  const cache = process.env["CUSTOMER360_SERVERS"] || join(homedir(), ".cache", "customer360", "servers");
  return join(cache, name);
}

function foldersBelow(path: string): readonly string[] {
  return existsSync(path) ? readdirSync(path).map((name) => join(path, name)) : [];
}

/** Debian keeps several PostgreSQL beside one another, none of them on the PATH. */
function folders(root: string): readonly string[] {
  const postgres = foldersBelow(join(root, "usr/lib/postgresql")).map((folder) => join(folder, "bin"));
  return [...["usr/bin", "usr/sbin"].map((folder) => join(root, folder)), ...postgres];
}

function inFolders(paths: readonly string[], program: string): string | undefined {
  return paths.map((path) => join(path, program)).find((path) => existsSync(path));
}

/** A program of a server: what is installed wins over what is in the cache; null when it is in neither. */
export function findProgram(name: ServerName, program: string): Program | null {
  const installed = inFolders([...(process.env["PATH"] ?? "").split(delimiter), ...folders("/")], program);
  if (installed !== undefined) return { path: installed, env: {} };
  const unpacked = inFolders(folders(cached(name)), program);
  if (unpacked === undefined) return null;
  const libraries = foldersBelow(join(cached(name), "usr/lib")).filter((path) => path.includes("-linux-"));
  return { path: unpacked, env: { LD_LIBRARY_PATH: libraries.join(delimiter) } };
}

/** The jars of a server written in Java, in an order that is always the same, or null when they were not obtained. */
export function findJars(name: ServerName): readonly string[] | null {
  if (!existsSync(join(cached(name), "stamp"))) return null;
  return readdirSync(cached(name))
    .filter((file) => file.endsWith(".jar"))
    .sort()
    .map((file) => join(cached(name), file));
}

/** The address of a server that is running already, or null. */
export function addressOf(name: ServerName): string | null {
  const variable = ADDRESS[name];
  return (variable === undefined ? undefined : process.env[variable]) || null;
}

function javaIn(folder: string): string {
  if (!existsSync(folder)) return "";
  const files = readdirSync(folder).filter((file) => file.endsWith(".java"));
  return files
    .sort()
    .map((file) => readFileSync(join(folder, file), "utf8"))
    .join("");
}

/** True when the program around mongo-java-server was compiled from another source than ours. */
function isOutdated(): boolean {
  return javaIn(join(cached("mongo"), "source")) !== javaIn(join(import.meta.dirname, "java"));
}

/** Why a server cannot be had here, and how to change that; null when it can. */
export function missing(name: ServerName): string | null {
  if (addressOf(name) !== null) return null;
  const program = PROGRAMS[name];
  const remedy = `npm run servers -- ${name}`;
  if (program !== undefined)
    return findProgram(name, program) === null
      ? `${program} is neither installed nor obtained: ${remedy}`
      : null;
  if (findJars(name) === null) return `the jars of ${name} were not obtained: ${remedy}`;
  if (name === "mongo" && isOutdated())
    return `${name} was obtained for another version of this project: ${remedy}`;
  return inFolders((process.env["PATH"] ?? "").split(delimiter), "java") === undefined
    ? `${name} needs Java: apt-get install default-jdk-headless`
    : null;
}

/** Thrown by a start function when its server cannot be had; the message holds the reason and the remedy. */
export class ServerMissing extends Error {}
