import { writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { addressOf, findProgram, missing, ServerMissing } from "./binaries.ts";
import { temporaryFolder } from "./folders.ts";
import { freePort } from "./ports.ts";
import { foreignServer, startServer, type Server } from "./server.ts";

/** What a Redis of a test should be. Any of it calls for a server of our own, even when REDIS_TEST_URL names another. */
export interface RedisOptions {
  /** Directives as redis.conf has them, over our own: `{ maxmemory: "10mb" }`. By default what was acknowledged survives a kill. */
  readonly config?: Readonly<Record<string, string>>;
  /** Users of an ACL file, one `user ...` line each. */
  readonly users?: readonly string[];
}

/** A Redis that answers. */
export interface Redis extends Server {
  readonly url: string;
  readonly host: string;
  readonly port: number;
}

/** True when a Redis on a port of 127.0.0.1 has loaded its data; one that asks for a password first counts. */
function serves(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => socket.write("PING\r\n"));
    socket.once("data", (reply) => {
      socket.destroy();
      resolve(/^(\+PONG|-NOAUTH)/.test(reply.toString()));
    });
    socket.once("error", () => resolve(false));
    socket.once("close", () => resolve(false));
  });
}

/**
 * A Redis: the one of REDIS_TEST_URL, or one that is started for the test.
 * @throws ServerMissing when there is neither.
 */
export async function startRedis(options: RedisOptions = {}): Promise<Redis> {
  const address = addressOf("redis");
  if (address !== null && Object.keys(options).length === 0) {
    const { hostname, port } = new URL(address);
    return { ...foreignServer("REDIS_TEST_URL"), url: address, host: hostname, port: Number(port || 6379) };
  }
  const program = findProgram("redis", "redis-server");
  if (program === null) throw new ServerMissing(missing("redis") ?? "redis-server is not here");
  const port = await freePort();
  const dataDir = temporaryFolder("redis");
  const config: Record<string, string> = {
    port: String(port),
    bind: "127.0.0.1",
    dir: dataDir,
    save: '""',
    appendonly: "yes",
    // What a process has written outlives it. With `everysec` a write waits while an earlier one reaches the disk, and a
    // kill at that moment loses what was acknowledged.
    appendfsync: "no",
    ...options.config,
  };
  if (options.users !== undefined) {
    config["aclfile"] = join(dataDir, "users.acl");
    writeFileSync(config["aclfile"], options.users.join("\n"));
  }
  const file = join(dataDir, "redis.conf");
  writeFileSync(
    file,
    Object.entries(config)
      .map(([name, value]) => `${name} ${value}\n`)
      .join(""),
  );
  const server = await startServer({
    name: "Redis",
    command: program.path,
    args: [file],
    env: program.env,
    dataDir,
    ready: () => serves(port),
  });
  return { ...server, url: `redis://127.0.0.1:${port}`, host: "127.0.0.1", port };
}
