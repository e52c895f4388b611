import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import { readSettings, SETTINGS } from "../../src/config.ts";
import { connectionsOf } from "../../src/connections.ts";
import { guardAddress } from "../../src/serving.ts";
import { checkHealth } from "../../src/updates/redis/health.ts";
import { CONVERTERS } from "../servers/connect.ts";
import { startArguments } from "../servers/program.ts";
import { readCompose, ROOT, type ComposeService } from "./compose-file.ts";

const { services, volumes } = readCompose();
const named = (name: string): ComposeService => {
  const found = services[name];
  if (found === undefined) throw new Error(`there is no service ${name}`);
  return found;
};
const all = Object.entries(services);
const processes = (["ingest", "api"] as const).flatMap((role) =>
  [1, 2].map((number) => ({ role, name: `${role}-${number}`, service: named(`${role}-${number}`) })),
);
const settingsOf = ({ role, service }: (typeof processes)[number]) =>
  readSettings({ role }, service.environment ?? {});
const flag = ({ command = [] }: ComposeService, name: string) => command[command.indexOf(name) + 1];
const read = (path: string) => readFileSync(join(ROOT, path), "utf8");

describe("docker-compose.yml", () => {
  test("every image is pinned to one version, and ours is the one of this package", () => {
    const { version } = JSON.parse(read("package.json")) as { version: string };
    for (const [name, { image, build }] of all) {
      expect(image, name).toMatch(/^[a-z0-9./-]+:\d+\.\d+(\.\d+)?(\.Final)?$/);
      if (build !== undefined) expect(image).toBe(`customer360:${version}`);
    }
  });

  test("what a service waits for is there, ends or has a health check as it is waited for, and nothing waits in a circle", () => {
    const seen = new Map<string, "open" | "done">();
    const visit = (name: string): void => {
      expect(seen.get(name), `circle at ${name}`).not.toBe("open");
      if (seen.get(name) === "done") return;
      seen.set(name, "open");
      for (const [needed, { condition }] of Object.entries(named(name).depends_on ?? {})) {
        if (condition === "service_healthy") expect(named(needed).healthcheck?.test, needed).toBeDefined();
        if (condition === "service_completed_successfully")
          expect(named(needed).restart).toMatch(/no|on-failure/);
        visit(needed);
      }
      seen.set(name, "done");
    };
    all.forEach(([name]) => visit(name));
  });

  test("every file that is mounted exists, every volume is declared and used", () => {
    const mounts = all.flatMap(([, service]) => service.volumes ?? []).map((mount) => mount.split(":"));
    const files = mounts.filter(([source = ""]) => source.startsWith("./"));
    for (const [source = "", , mode] of files) {
      expect(existsSync(join(ROOT, source)), source).toBe(true);
      expect(mode).toBe("ro");
    }
    const used = mounts.filter((mount) => !files.includes(mount)).map(([source]) => source);
    expect(used.sort()).toEqual(Object.keys(volumes).sort());
  });

  test("only the API is published, on loopback, each process at the port it listens on", () => {
    const published = all.flatMap(([name, { ports = [] }]) => ports.map((port) => ({ name, port })));
    const apis = processes.filter(({ role }) => role === "api");
    expect(published).toEqual(
      apis.map((process) => {
        const { port } = settingsOf(process);
        return { name: process.name, port: `127.0.0.1:${port}:${port}` };
      }),
    );
    expect(new Set(published.map(({ port }) => port)).size).toBe(2);
  });

  test.each(processes)("$name starts as the tests on real servers start it", (process) => {
    const { role, service } = process;
    const known = SETTINGS.map(({ env }) => env);
    expect(known).toEqual(expect.arrayContaining(Object.keys(service.environment ?? {})));
    expect(service.entrypoint).toBeUndefined();
    expect(service.command).toEqual([...startArguments("pipelines/banking.yaml", role), "--insecure"]);
    const { source, store, updates } = connectionsOf(settingsOf(process));
    expect([source?.kind, store.kind, updates.kind]).toEqual([
      role === "ingest" ? "kafka" : undefined,
      "mongodb",
      "redis",
    ]);
    const { host, port, graphiql, cursorSecret } = settingsOf(process);
    const insecure = service.command?.includes("--insecure") === true;
    expect(() => guardAddress({ host, port, graphiql, cursorSecret, insecure })).not.toThrow();
    expect(graphiql).toBe(true);
  });

  test("processes of one role differ in their port alone, and all share one store and one stream", () => {
    const shared = processes.map(({ service: { environment = {} } }) => [
      environment["MONGODB_URI"],
      environment["REDIS_URL"],
    ]);
    for (const one of shared) expect(one).toEqual(shared[0]);
    const secrets = processes
      .filter(({ role }) => role === "api")
      .map((process) => settingsOf(process).cursorSecret);
    expect(new Set(secrets).size).toBe(1);
  });

  test("every address names a service", () => {
    const hosts = processes.flatMap(({ service: { environment = {} } }) => [
      environment["KAFKA_BROKERS"]?.split(":")[0] ?? "kafka",
      new URL(environment["MONGODB_URI"] ?? "").hostname,
      new URL(environment["REDIS_URL"] ?? "").hostname,
    ]);
    const connector = JSON.parse(read("deploy/connector.json")) as Record<string, string>;
    const worker = new URL(named("connector").command?.[0] ?? "").hostname;
    const writer = named("writer").environment?.["PGHOST"];
    for (const host of [...hosts, worker, writer, connector["database.hostname"]])
      expect(Object.keys(services)).toContain(host);
  });

  test("the connector and the writer find the database that PostgreSQL makes", () => {
    const { POSTGRES_USER, POSTGRES_PASSWORD, POSTGRES_DB } = named("postgres").environment ?? {};
    const connector = JSON.parse(read("deploy/connector.json")) as Record<string, string>;
    const { PGUSER, PGPASSWORD, PGDATABASE } = named("writer").environment ?? {};
    const wanted = [POSTGRES_USER, POSTGRES_PASSWORD, POSTGRES_DB];
    expect([PGUSER, PGPASSWORD, PGDATABASE]).toEqual(wanted);
    expect(["user", "password", "dbname"].map((name) => connector[`database.${name}`])).toEqual(wanted);
    expect(named("postgres").command).toContain("wal_level=logical");
  });

  test("the worker writes records as the one of the tests does", () => {
    const { environment = {} } = named("connect");
    for (const [property, value] of Object.entries(CONVERTERS)) {
      const own = property.replaceAll(".", "_").toUpperCase();
      // The image knows the converters by names of their own, everything else by this prefix.
      expect(environment[own] ?? environment[`CONNECT_${own}`], property).toBe(value);
    }
  });

  test("the replica set of the address is the one MongoDB makes of itself", () => {
    const { command = [], healthcheck } = named("mongo");
    const uri = new URL(processes[0]?.service.environment?.["MONGODB_URI"] ?? "");
    expect(uri.searchParams.get("replicaSet")).toBe(flag(named("mongo"), "--replSet"));
    const script = healthcheck?.test?.at(-1) ?? "";
    expect(script).toContain(`_id: "${flag(named("mongo"), "--replSet")}"`);
    expect(script).toContain(`host: "${uri.hostname}:27017"`);
    expect(command).toContain("--bind_ip_all");
    /** What the health check does to a server, and how it ends. */
    const look = (isMade: boolean, isWritablePrimary: boolean) => {
      const done: unknown[] = [];
      runInNewContext(script, {
        rs: {
          status: () => {
            if (!isMade) throw new Error("NotYetInitialized");
          },
          initiate: ({ _id }: { readonly _id: string }) => done.push(_id),
        },
        db: { hello: () => ({ isWritablePrimary }) },
        quit: (code: number) => done.push(code),
      });
      return done;
    };
    expect(look(false, false)).toEqual(["rs0", 1]);
    expect(look(true, false)).toEqual([1]);
    expect(look(true, true)).toEqual([]);
  });

  test("Redis is one that is not refused: it throws nothing away, and keeps what it has on disk", () => {
    const { image } = named("redis");
    const version = image.split(":")[1] ?? "";
    const eviction = flag(named("redis"), "--maxmemory-policy") ?? "";
    const health = { version, eviction, persistence: "everysec", usedBytes: 0, maxBytes: null } as const;
    expect(() => checkHealth(health)).not.toThrow();
    expect(flag(named("redis"), "--appendonly")).toBe("yes");
  });
});
