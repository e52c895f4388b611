import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cached, missing, ServerMissing, type ServerName } from "./binaries.ts";
import { temporaryFolder } from "./folders.ts";
import { javaArguments } from "./java.ts";
import type { Kafka } from "./kafka.ts";
import { freePort } from "./ports.ts";
import { startServer, type Server } from "./server.ts";

/** A connector's settings, as its documentation names them. `${dataDir}` in a value is the folder of the worker's files. */
export type ConnectorConfig = Readonly<Record<string, string>>;

/** What a Connect worker of a test should run. */
export interface ConnectOptions {
  readonly kafka: Pick<Kafka, "brokers">;
  /** By name. They outlive a kill of the worker, which goes on where they were. */
  readonly connectors: Readonly<Record<string, ConnectorConfig>>;
  /** What to load; must hold the classes of the connectors. */
  readonly plugins: readonly ConnectPlugin[];
  /** Settings of the worker, over our own: JSON without schemas, positions kept four times a second. */
  readonly worker?: Readonly<Record<string, string>>;
  /** Options of the virtual machine, over our own: ours start soon, and leave the compiler out that makes a long run fast. */
  readonly java?: readonly string[];
}

/** What a worker can load. */
export type ConnectPlugin = Extract<ServerName, "debezium-postgres" | "debezium-mariadb" | "mongo-sink">;

/** A worker whose connectors run. */
export interface Connect extends Server {
  /** Its REST API. */
  readonly url: string;
  /** State of a connector and of its tasks, such as `RUNNING`. Throws when there is no such connector. */
  states(connector: string): Promise<readonly string[]>;
}

interface Status {
  readonly connector: { readonly state: string };
  readonly tasks: readonly { readonly state: string; readonly trace?: string }[];
}

async function statusOf(url: string, connector: string): Promise<Status> {
  const response = await fetch(`${url}/connectors/${connector}/status`, {
    signal: AbortSignal.timeout(5000),
  });
  if (!response.ok) throw new Error(`${connector}: ${response.status} ${await response.text()}`);
  return (await response.json()) as Status;
}

/** True when it has a task and all run; throws when one has failed. A connector that is refused at once ends the worker. */
async function runs(url: string, connector: string): Promise<boolean> {
  const status = await statusOf(url, connector).catch(() => null);
  if (status === null) return false;
  const failed = status.tasks.find(({ state }) => state === "FAILED");
  if (failed !== undefined) throw new Error(`${connector} has failed: ${failed.trace}`);
  return status.tasks.length > 0 && status.tasks.every(({ state }) => state === "RUNNING");
}

const CONVERTER = "org.apache.kafka.connect.json.JsonConverter";

/** How a worker writes records, in tests and in docker-compose.yml. */
export const CONVERTERS: ConnectorConfig = {
  "key.converter": CONVERTER,
  "key.converter.schemas.enable": "false",
  "value.converter": CONVERTER,
  "value.converter.schemas.enable": "false",
  // Without it a NULL becomes the default of its column, which nothing downstream can tell apart.
  "key.converter.replace.null.with.default": "false",
  "value.converter.replace.null.with.default": "false",
};

function workerConfig(brokers: string, folder: string): Readonly<Record<string, string>> {
  return {
    "bootstrap.servers": brokers,
    ...CONVERTERS,
    "offset.storage.file.filename": join(folder, "offsets"),
    "offset.flush.interval.ms": "250",
    "plugin.path": join(folder, "plugins"),
    // Looking through every class instead takes ten seconds more.
    "plugin.discovery": "service_load",
  };
}

function linkPlugins(folder: string, plugins: readonly ConnectPlugin[]): void {
  mkdirSync(join(folder, "plugins"));
  for (const plugin of plugins) {
    const reason = missing(plugin);
    if (reason !== null) throw new ServerMissing(reason);
    symlinkSync(cached(plugin), join(folder, "plugins", plugin));
  }
}

/**
 * A standalone Connect worker, started for the test; ready when all of its connectors run.
 * @throws ServerMissing when Kafka or a plug-in was not obtained.
 */
export async function startConnect(options: ConnectOptions): Promise<Connect> {
  const java = javaArguments("kafka", ["-Xmx512m", ...(options.java ?? [])]);
  const dataDir = temporaryFolder("connect");
  linkPlugins(dataDir, options.plugins);
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const worker = { ...workerConfig(options.kafka.brokers, dataDir), listeners: url, ...options.worker };
  const workerFile = join(dataDir, "worker.properties");
  writeFileSync(
    workerFile,
    Object.entries(worker)
      .map(([name, value]) => `${name}=${value}\n`)
      .join(""),
  );
  const files = Object.entries(options.connectors).map(([name, config]) => {
    const file = join(dataDir, `${name}.json`);
    writeFileSync(
      file,
      JSON.stringify({ name, config: { name, ...config } }).replaceAll("${dataDir}", dataDir),
    );
    return file;
  });
  const server = await startServer({
    name: "Connect",
    command: "java",
    args: [...java, "org.apache.kafka.connect.cli.ConnectStandalone", workerFile, ...files],
    dataDir,
    ready: async () => {
      const states = await Promise.all(Object.keys(options.connectors).map((name) => runs(url, name)));
      return (
        states.every(Boolean) &&
        (await fetch(url).then(
          ({ ok }) => ok,
          () => false,
        ))
      );
    },
  });
  const states = async (connector: string) => {
    const status = await statusOf(url, connector);
    return [status.connector.state, ...status.tasks.map(({ state }) => state)];
  };
  return { ...server, url, states };
}
