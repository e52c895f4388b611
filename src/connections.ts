import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { KafkaOptions, SourceOptions, StoreOptions, UpdatesOptions } from "./adapters.ts";
import type { Settings } from "./config.ts";
import { Customer360Error } from "./errors.ts";
import { clientCredentials } from "./ingest/kafka/client/oauth-token.ts";
import type { KafkaSasl, KafkaSecurity, KafkaTls } from "./ingest/kafka/client/security.ts";
import { parseRedisUrl } from "./updates/redis/address.ts";

/** Which adapters settings ask for. */
export interface Connections {
  /** Null for a process that ingests nothing. */
  readonly source: SourceOptions | null;
  readonly store: StoreOptions;
  readonly updates: UpdatesOptions;
}

/**
 * Chooses the adapters, one by one, and reads the files that their settings name. Throws SETTINGS_INVALID with every fault
 * at once: settings that need one another, files that cannot be read.
 */
export function connectionsOf(settings: Settings): Connections {
  const faults: string[] = [];
  const connections = {
    source: settings.role === "api" ? null : sourceOf(settings, faults),
    store: storeOf(settings),
    updates: updatesOf(settings, faults),
  };
  needShared(settings, faults);
  return faultless(connections, faults);
}

/** What a replay reads from and writes to. */
export interface ReplayConnections {
  readonly source: Extract<SourceOptions, { readonly kind: "files" | "kafka" }>;
  readonly store: StoreOptions;
  readonly updates: UpdatesOptions;
  /** Absolute path of the directory of what is embedded. */
  readonly dataDir: string;
}

/**
 * The same for a replay: of a folder if one is given, else of what `start` would read; into the store that `start` would use,
 * or into another one that nobody serves. Throws SETTINGS_INVALID with every fault at once.
 */
export function replayConnectionsOf(
  settings: Settings,
  { data, into }: { readonly data: string | null; readonly into: string | null },
): ReplayConnections {
  const faults: string[] = [];
  const { kafkaBrokers, kafkaGroup: groupId, recordsDir, mongodbUri, dataDir } = settings;
  const dir = data ?? (kafkaBrokers === null ? recordsDir : null);
  if (into !== null && !isPlace(into))
    faults.push(`--into has to be a directory or a mongodb:// address, not "${into}"`);
  if (data === null && kafkaBrokers !== null && recordsDir !== null) faults.push(TWO_SOURCES);
  if (into === null && mongodbUri !== null && settings.redisUrl === null)
    faults.push("REDIS_URL is missing: what changes in a store that processes share is announced through it");
  if (dir === null && kafkaBrokers === null)
    faults.push(
      "there is nothing to read again: give --data or RECORDS_DIR for files, or KAFKA_BROKERS for topics",
    );
  const source: ReplayConnections["source"] =
    dir === null
      ? { kind: "kafka", brokers: kafkaBrokers ?? [], groupId, security: securityOf(settings, faults) }
      : { kind: "files", dir, follow: false };
  if (into === null)
    return faultless(
      { source, dataDir, store: storeOf(settings), updates: updatesOf(settings, faults) },
      faults,
    );
  const isSame = isAddress(into)
    ? mongodbUri !== null && databaseIn(into) === databaseIn(mongodbUri)
    : mongodbUri === null && resolve(into) === dataDir;
  if (isSame) faults.push("--into names the store itself: leave it out, or name another one");
  const other: Pick<ReplayConnections, "store" | "updates" | "dataDir"> = isAddress(into)
    ? { store: { kind: "mongodb", uri: into }, updates: { kind: "none" }, dataDir }
    : { store: { kind: "embedded" }, updates: { kind: "embedded" }, dataDir: resolve(into) };
  return faultless({ source, ...other }, faults);
}

const TWO_SOURCES = "KAFKA_BROKERS and RECORDS_DIR are both given: records come from one of them";

/** False for nothing, as of a variable that is not set, and for the address of something else. */
const isPlace = (text: string): boolean =>
  isAddress(text) || (text !== "" && !/^[a-z][\w+.-]*:\/\//i.test(text));

const isAddress = (text: string): boolean => /^mongodb(\+srv)?:\/\//.test(text);

/** Hosts and database of an address, without credentials and options. */
function databaseIn(uri: string): string {
  const [, hosts = "", database = ""] = /^[^/]+\/\/(?:.*@)?([^/?]*)\/?([^?]*)/.exec(uri) ?? [];
  return `${hosts.split(",").sort().join(",")}/${database === "" ? "customer360" : database}`;
}

function faultless<T>(value: T, faults: readonly string[]): T {
  if (faults.length === 0) return value;
  throw new Customer360Error(
    "SETTINGS_INVALID",
    `settings:\n${faults.map((fault) => `  ${fault}`).join("\n")}`,
  );
}

/** Processes that do different things have to meet somewhere, and sign cursors alike. */
function needShared({ role, mongodbUri, redisUrl, cursorSecret }: Settings, faults: string[]): void {
  if (role !== "all") {
    if (mongodbUri === null) faults.push(`MONGODB_URI is missing: --role ${role} shares its store`);
    if (redisUrl === null) faults.push(`REDIS_URL is missing: --role ${role} shares its updates`);
  }
  if (role !== "ingest" && mongodbUri !== null && cursorSecret === null)
    faults.push("CURSOR_SECRET is missing: processes that share a store sign cursors with the same secret");
}

function sourceOf(settings: Settings, faults: string[]): SourceOptions | null {
  const { kafkaBrokers, kafkaGroup, kafkaInstance, recordsDir, role } = settings;
  if (kafkaBrokers !== null && recordsDir !== null) faults.push(TWO_SOURCES);
  if (kafkaBrokers !== null) {
    const kafka: KafkaOptions = {
      brokers: kafkaBrokers,
      groupId: kafkaGroup,
      ...(kafkaInstance === null ? {} : { instance: kafkaInstance }),
      security: securityOf(settings, faults),
    };
    return { kind: "kafka", ...kafka };
  }
  if (recordsDir !== null) return { kind: "files", dir: recordsDir, follow: true };
  if (role === "ingest") faults.push("KAFKA_BROKERS or RECORDS_DIR is missing: there is nothing to ingest");
  return null;
}

const storeOf = ({ mongodbUri }: Settings): StoreOptions =>
  mongodbUri === null ? { kind: "embedded" } : { kind: "mongodb", uri: mongodbUri };

function updatesOf({ redisUrl, redisCaFile, redisStreams }: Settings, faults: string[]): UpdatesOptions {
  if (redisUrl === null) return { kind: "embedded" };
  const parsed = parseRedisUrl(redisUrl);
  const ca = pem("REDIS_CA_FILE", redisCaFile, faults);
  if (parsed.kind === "address") return { kind: "redis", address: parsed.address, ca, streams: redisStreams };
  faults.push(`REDIS_URL ${parsed.reason}`);
  return { kind: "embedded" };
}

function securityOf(settings: Settings, faults: string[]): KafkaSecurity {
  const tls = settings.kafkaTls ? tlsOf(settings, faults) : null;
  if (tls === null)
    for (const [name, value] of [
      ["KAFKA_CA_FILE", settings.kafkaCaFile],
      ["KAFKA_CERT_FILE", settings.kafkaCertFile],
      ["KAFKA_KEY_FILE", settings.kafkaKeyFile],
    ] as const)
      if (value !== null) faults.push(`${name} is given, but KAFKA_TLS is not true`);
  return { tls, sasl: saslOf(settings, faults) };
}

function tlsOf(settings: Settings, faults: string[]): KafkaTls {
  const { kafkaCaFile, kafkaCertFile, kafkaKeyFile, kafkaKeyPassphrase } = settings;
  const ca = pem("KAFKA_CA_FILE", kafkaCaFile, faults);
  const cert = pem("KAFKA_CERT_FILE", kafkaCertFile, faults);
  const key = pem("KAFKA_KEY_FILE", kafkaKeyFile, faults);
  if ((kafkaCertFile === null) !== (kafkaKeyFile === null))
    faults.push("KAFKA_CERT_FILE and KAFKA_KEY_FILE come together");
  if (cert === null || key === null) return { ca, certificate: null };
  const passphrase = kafkaKeyPassphrase === null ? {} : { passphrase: kafkaKeyPassphrase };
  return { ca, certificate: { cert, key, ...passphrase } };
}

function saslOf(settings: Settings, faults: string[]): KafkaSasl | null {
  const { kafkaSasl: mechanism, kafkaUsername: username, kafkaPassword: password, kafkaTokenUrl } = settings;
  if (mechanism === null) {
    if (username !== null || password !== null)
      faults.push("KAFKA_USERNAME or KAFKA_PASSWORD is given, but KAFKA_SASL does not say how to use it");
    return null;
  }
  if (username === null || password === null) {
    faults.push(`KAFKA_USERNAME and KAFKA_PASSWORD are needed for KAFKA_SASL ${mechanism}`);
    return null;
  }
  if (mechanism !== "OAUTHBEARER") return { mechanism, username, password };
  if (kafkaTokenUrl !== null)
    return {
      mechanism,
      token: clientCredentials({ url: kafkaTokenUrl, clientId: username, clientSecret: password }),
    };
  faults.push("KAFKA_TOKEN_URL is needed for KAFKA_SASL OAUTHBEARER");
  return null;
}

/** The text of a file a setting names; null without one. */
function pem(name: string, path: string | null, faults: string[]): string | null {
  if (path === null) return null;
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    faults.push(`${name}: ${(error as Error).message}`);
    return null;
  }
}
