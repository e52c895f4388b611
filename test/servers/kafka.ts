import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { Kafka as Client, logLevel } from "kafkajs";
import { addressOf } from "./binaries.ts";
import { makeCertificates, type Certificates } from "./certificates.ts";
import { temporaryFolder } from "./folders.ts";
import { javaArguments } from "./java.ts";
import { brokerConfig, doorsConfig, listenerOf, USER, type Door, type Listener } from "./kafka-config.ts";
import { freePort } from "./ports.ts";
import { startProxy, type Proxy } from "./proxy.ts";
import { foreignServer, startServer, type Server } from "./server.ts";

/** What a Kafka of a test should be. Any of it calls for a broker of our own, even when KAFKA_TEST_BROKERS names others. */
export interface KafkaOptions {
  /** Ways in that ask for proof, beside the plain one. */
  readonly doors?: readonly Door[];
  /** One more plain way in, through a proxy in this process that a test can break. */
  readonly proxied?: true;
  /** Properties of the broker, over our own. */
  readonly properties?: Readonly<Record<string, string>>;
  /** Options of the virtual machine, over our own. */
  readonly java?: readonly string[];
}

/** A Kafka broker that takes part in its cluster. */
export interface Kafka extends Server {
  /** The plain listener, as KAFKA_BROKERS has it. */
  readonly brokers: string;
  /** The address of each door that was asked for. */
  readonly doors: Readonly<Partial<Record<Door, string>>>;
  /** The way through the proxy; null when it was not asked for. */
  readonly proxied: { readonly brokers: string; readonly proxy: Proxy } | null;
  /** What the TLS doors show and accept; null without doors. */
  readonly certificates: Certificates | null;
}

const FORMAT = "kafka.tools.StorageTool";

/** True when the broker of an address has joined its cluster: before that no topic can be made. */
async function joined(brokers: string): Promise<boolean> {
  const client = new Client({
    brokers: brokers.split(","),
    logLevel: logLevel.NOTHING,
    connectionTimeout: 1000,
    requestTimeout: 2000,
    retry: { retries: 0 },
  });
  const admin = client.admin();
  try {
    await admin.connect();
    return (await admin.describeCluster()).brokers.length > 0;
  } catch {
    return false;
  } finally {
    await admin.disconnect();
  }
}

async function format(java: readonly string[], properties: string): Promise<void> {
  const { username, password } = USER;
  const users = ["SCRAM-SHA-256", "SCRAM-SHA-512"].flatMap((mechanism) => [
    "--add-scram",
    `${mechanism}=[name=${username},password=${password}]`,
  ]);
  // One id in 64 would begin with a dash, and be taken for an option.
  const id = randomBytes(16).toString("base64url").replace(/^-/, "A");
  await promisify(execFile)("java", [...java, FORMAT, "format", "-t", id, "-c", properties, ...users]);
}

function asProperties(config: Readonly<Record<string, string>>): string {
  return Object.entries(config)
    .map(([name, value]) => `${name}=${value}\n`)
    .join("");
}

/**
 * A Kafka: that of KAFKA_TEST_BROKERS, or one broker that is started for the test.
 * @throws ServerMissing when there is neither.
 */
export async function startKafka(options: KafkaOptions = {}): Promise<Kafka> {
  const address = addressOf("kafka");
  if (address !== null && Object.keys(options).length === 0)
    return {
      ...foreignServer("KAFKA_TEST_BROKERS"),
      brokers: address,
      doors: {},
      proxied: null,
      certificates: null,
    };

  const java = javaArguments("kafka", ["-Xmx512m", ...(options.java ?? [])]);
  const plain: Listener = { name: "PLAIN", port: await freePort(), protocol: "PLAINTEXT" };
  const behind = await freePort();
  const proxy = options.proxied === undefined ? null : await startProxy({ target: behind });
  const detour: readonly Listener[] =
    proxy === null ? [] : [{ name: "PROXIED", port: behind, protocol: "PLAINTEXT", advertised: proxy.port }];
  const doors = await Promise.all(
    (options.doors ?? []).map(async (door) => listenerOf(door, await freePort())),
  );
  const dataDir = temporaryFolder("kafka");
  mkdirSync(join(dataDir, "certificates"));
  const certificates = doors.length === 0 ? null : await makeCertificates(join(dataDir, "certificates"));
  const properties = join(dataDir, "server.properties");
  writeFileSync(
    properties,
    asProperties({
      ...brokerConfig([plain, ...detour, ...doors], await freePort(), join(dataDir, "log")),
      ...(certificates === null ? {} : doorsConfig(doors, certificates)),
      ...options.properties,
    }),
  );
  await format(java, properties);
  const brokers = `127.0.0.1:${plain.port}`;
  const server = await startServer({
    name: "Kafka",
    command: "java",
    args: [...java, "kafka.Kafka", properties],
    dataDir,
    ready: () => joined(brokers),
  });
  const addresses = (options.doors ?? []).map((door, at) => [door, `127.0.0.1:${doors[at]?.port}`] as const);
  return {
    ...server,
    brokers,
    doors: Object.fromEntries(addresses),
    proxied: proxy === null ? null : { brokers: `127.0.0.1:${proxy.port}`, proxy },
    certificates,
    stop: async () => {
      await server.stop();
      await proxy?.stop();
    },
  };
}
