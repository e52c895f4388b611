import { randomBytes } from "node:crypto";
import { statSync } from "node:fs";
import { resolve } from "node:path";
import type { Clock } from "./clock.ts";
import type { Plan } from "./customer/plan.ts";
import { demoSource } from "./demo/demo-source.ts";
import type { BankSettings } from "./demo/journal.ts";
import { openDataDirectory, type DataDirectory } from "./embedded/data-directory.ts";
import { Customer360Error, unreachable } from "./errors.ts";
import { fileSource } from "./ingest/files/source.ts";
import type { KafkaSecurity } from "./ingest/kafka/client/security.ts";
import { DISCONTINUITIES } from "./ingest/kafka/position.ts";
import { kafkaSource, type KafkaSource } from "./ingest/kafka/source.ts";
import { windowed } from "./ingest/kafka/window.ts";
import type { Range } from "./ingest/replay/bounds.ts";
import type { Source } from "./ingest/source.ts";
import type { Log } from "./log.ts";
import type { Metrics } from "./metrics.ts";
import type { Status } from "./server/probes.ts";
import { lookAtKafka, lookAtLag } from "./source-metrics.ts";
import type { StopStep } from "./stop.ts";
import type { Reads } from "./store/reads.ts";
import { sqliteStore } from "./store/sqlite/store.ts";
import type { Everyone, Forgetting, Store } from "./store/store.ts";
import { localUpdates } from "./updates/local/updates.ts";
import type { RedisAddress } from "./updates/redis/address.ts";
import { redisUpdates } from "./updates/redis/updates.ts";
import type { Updates } from "./updates/updates.ts";

/** How to reach Kafka. */
export interface KafkaOptions {
  /** `host:port` of each broker to begin with. */
  readonly brokers: readonly string[];
  /** Consumer group; null for one named after the pipeline. */
  readonly groupId: string | null;
  /** A name this process keeps over restarts and no other of the group has; none when left out. */
  readonly instance?: string;
  readonly security: KafkaSecurity;
}

/** Where records come from: the demo's bank, a folder of files, read to its end or watched, or the topics of the pipeline. */
export type SourceOptions =
  | ({ readonly kind: "demo" } & BankSettings)
  | { readonly kind: "files"; readonly dir: string; readonly follow: boolean }
  | ({ readonly kind: "kafka" } & KafkaOptions);

/** Where customers are kept. The address of a MongoDB may hold secrets. */
export type StoreOptions = { readonly kind: "embedded" } | { readonly kind: "mongodb"; readonly uri: string };

/**
 * How updates get from ingest to clients. `ca`: PEM of the authorities to trust, null for those of the system; `streams`: how
 * many Redis Streams share the work.
 */
export type UpdatesOptions =
  | { readonly kind: "embedded" }
  | {
      readonly kind: "redis";
      readonly address: RedisAddress;
      readonly ca: string | null;
      readonly streams: number;
    }
  /** To nobody: for a store that nobody serves. */
  | { readonly kind: "none" };

/** Which adapters stand behind the ports. */
export interface AdapterOptions {
  readonly plan: Plan;
  /** Absolute path of the directory that holds everything embedded. */
  readonly dataDir: string;
  /** Forgets what the data directory held. */
  readonly fresh: boolean;
  /** Null to ingest nothing. */
  readonly source: SourceOptions | null;
  /** Default: in the data directory. */
  readonly store?: StoreOptions;
  /** Default: in the data directory. */
  readonly updates?: UpdatesOptions;
}

/** A process's adapters, open. */
export interface Adapters {
  readonly source: Source | null;
  readonly store: Store & Reads & Everyone & Forgetting;
  readonly updates: Updates;
  /**
   * Throws SETTINGS_INVALID for an update stream that would lose updates in silence,
   * UPDATES_UNAVAILABLE when it cannot be asked.
   */
  checkUpdates(): Promise<void>;
  /** How the source is doing, for `/readyz`. */
  readonly status: Status;
  /** Brings what the source counts by itself up to date. */
  look(metrics: Metrics): Promise<void>;
  /** The secret that signs cursors, kept where the data are; null where several processes have to be given the same one. */
  cursorSecret(): Uint8Array | null;
  /** Lets go of the data directory, after everything in it was closed. Safe to repeat. */
  release(): void;
}

/** What adapters are opened with, besides their options. */
interface Beside {
  readonly clock: Clock;
  readonly log: Log;
}

/** Opens the adapters a process runs on: the only place that knows which one stands behind which port. */
export async function openAdapters(options: AdapterOptions, beside: Beside): Promise<Adapters> {
  guardSource(options.source);
  const directory = isEmbedded(options) ? openDataDirectory(options.dataDir, { fresh: options.fresh }) : null;
  const open: { close(): Promise<void> }[] = [];
  const opened = <T extends { close(): Promise<void> }>(adapter: T): T => {
    open.push(adapter);
    return adapter;
  };
  try {
    const store = opened(await openStore(options, directory, beside));
    const { updates, checkUpdates } = await openUpdates(options, directory, { ...beside, store });
    opened(updates);
    const { source, status, look } = openSource(options, directory, beside);
    return {
      store,
      updates,
      checkUpdates,
      source,
      status,
      look,
      cursorSecret: () => (store.shared ? null : (directory?.cursorSecret() ?? null)),
      release: () => directory?.release(),
    };
  } catch (error) {
    await Promise.allSettled(open.map((adapter) => adapter.close()));
    directory?.release();
    throw error;
  }
}

/** Closes what a process no longer uses: what brings work in before what keeps it. */
export async function closeAdapters(
  { source, updates, store, release }: Adapters,
  step: StopStep,
): Promise<void> {
  await step("source", async () => source?.close());
  await step("updates", () => updates.close());
  await step("store", () => store.close());
  release();
}

/** True when anything is kept in the data directory. */
export function isEmbedded({
  source,
  store,
  updates,
}: Pick<AdapterOptions, "source" | "store" | "updates">): boolean {
  return source?.kind === "demo" || [store, updates].some((one) => (one?.kind ?? "embedded") === "embedded");
}

function needed(directory: DataDirectory | null): DataDirectory {
  if (directory === null) throw new Error("the data directory is not open");
  return directory;
}

async function openStore(
  { plan, store }: AdapterOptions,
  directory: DataDirectory | null,
  { log }: Beside,
): Promise<Adapters["store"]> {
  if (store?.kind !== "mongodb") return sqliteStore({ path: needed(directory).store, plan });
  const { openMongoStore } = await import("./store/mongo/store.ts");
  return openMongoStore({ uri: store.uri, plan, log });
}

async function openUpdates(
  { updates }: AdapterOptions,
  directory: DataDirectory | null,
  { clock, log, store }: Beside & { readonly store: Store },
): Promise<Pick<Adapters, "updates" | "checkUpdates">> {
  if (updates?.kind === "none") return { updates: NOBODY, checkUpdates: () => Promise.resolve() };
  if (updates?.kind !== "redis") {
    const local = localUpdates({ path: needed(directory).updates, clock });
    return { updates: local, checkUpdates: () => Promise.resolve() };
  }
  const { address, ca, streams: shards } = updates;
  // Stores that share a Redis must not see each other's updates.
  const prefix = `c360:${await store.agreed("name", randomBytes(9).toString("base64url"))}`;
  const agreed = await store.agreed("streams", String(shards));
  if (agreed !== String(shards))
    throw new Customer360Error(
      "SETTINGS_INVALID",
      `REDIS_STREAMS is ${shards}, but the processes of this store have agreed on ${agreed}: say the same in all of them`,
    );
  const tls = ca === null ? {} : { tls: { ca } };
  const redis = redisUpdates({ address, clock, log, prefix, shards, ...tls });
  return { updates: redis, checkUpdates: () => redis.check() };
}

const NOBODY: Updates = {
  publish: () => Promise.resolve(),
  read: () => Promise.resolve({ kind: "entries", entries: [] }),
  tail: () => Promise.resolve(""),
  compare: () => 0,
  onward: () => null,
  close: () => Promise.resolve(),
};

/** What is read once more: a folder of files, or ranges of topics under the name of the replay. */
export type ReplayedOptions =
  | Extract<SourceOptions, { readonly kind: "files" }>
  | ({ readonly kind: "kafka"; readonly id: string; readonly ranges: readonly Range[] } & KafkaOptions);

/** A source of its own for a replay: a group that commits nothing, and ends where the ranges end. */
export function openReplayed(source: ReplayedOptions, plan: Plan, { clock, log }: Beside): Source {
  if (source.kind === "files") return openFolder({ ...source, plan, clock });
  const { id, ranges, groupId, ...reached } = source;
  return kafkaSource({
    ...reached,
    clock,
    log,
    follow: false,
    topics: [...new Set(ranges.map(({ topic }) => topic))],
    groupId: `${kafkaGroup(plan, groupId)}-replay-${id}`,
    connect: async (settings, ears) => {
      const { connectKafka } = await import("./ingest/kafka/client/client.ts");
      return windowed(await connectKafka(settings, ears), ranges);
    },
  });
}

function openSource(
  { plan, source }: AdapterOptions,
  directory: DataDirectory | null,
  { clock, log }: Beside,
): Pick<Adapters, "source" | "status" | "look"> {
  switch (source?.kind) {
    case undefined:
      return { source: null, status: FINE, look: () => Promise.resolve() };
    case "demo":
      return plain(demoSource({ ...source, path: needed(directory).journal, clock }));
    case "files":
      return plain(openFolder({ ...source, plan, clock }));
    case "kafka": {
      const groupId = kafkaGroup(plan, source.groupId);
      const topics = plan.tables.flatMap((table) => table.topics);
      const kafka = kafkaSource({ ...source, groupId, topics, clock, log });
      const look = (metrics: Metrics) => {
        lookAtKafka(metrics, kafka.health());
        return lookAtLag(metrics, kafka);
      };
      return { source: kafka, status: kafkaStatus(kafka), look };
    }
    default:
      return unreachable(source);
  }
}

/** The consumer group of a pipeline: the one that was named, else one named after it. */
export function kafkaGroup({ name }: Plan, groupId: string | null): string {
  return groupId ?? `customer360-${name}`;
}

function plain(source: Source): Pick<Adapters, "source" | "status" | "look"> {
  return { source, status: FINE, look: (metrics) => lookAtLag(metrics, source) };
}

const FINE: Status = { reasons: () => [] };

function kafkaStatus(kafka: KafkaSource): Status {
  return {
    reasons: () => {
      const { state, partitions } = kafka.health();
      if (state === "serving") return [];
      return [
        state === "catching up" ? `catching up: ${partitions} partitions of Kafka` : "not connected to Kafka",
      ];
    },
    warnings: () => {
      const { discontinuities, latestDiscontinuities, missingTopics, stalledMs } = kafka.health();
      const last = latestDiscontinuities.at(-1);
      return [
        ...(last === undefined
          ? []
          : [
              `discontinuities in Kafka: ${discontinuities}, the last in ${last.topic}[${last.partition}]: ${DISCONTINUITIES[last.kind]}`,
            ]),
        ...(missingTopics.length === 0 ? [] : [`topics that do not exist: ${missingTopics.join(", ")}`]),
        ...(stalledMs === null
          ? []
          : [`records wait in Kafka and none came for ${Math.round(stalledMs / 1_000)} s`]),
      ];
    },
  };
}

/**
 * A source that reads a folder of files. Throws SETTINGS_INVALID without the folder:
 * waiting for it would look like having nothing to do.
 */
export function openFolder(options: {
  readonly dir: string;
  readonly follow: boolean;
  readonly plan: Plan;
  readonly clock: Clock;
}): Source {
  const { dir, follow, plan, clock } = options;
  guardFolder(dir);
  return fileSource({ dir, tables: plan.tables, clock, follow });
}

/** Throws SETTINGS_INVALID for a source that cannot be meant. */
export function guardSource(source: SourceOptions | null): void {
  if (source?.kind === "files") guardFolder(source.dir);
}

function guardFolder(dir: string): void {
  const path = resolve(dir);
  const found = dir === "" ? undefined : statSync(path, { throwIfNoEntry: false });
  if (found?.isDirectory() === true) return;
  const text = found === undefined ? "does not exist" : "is no folder";
  throw new Customer360Error("SETTINGS_INVALID", `the folder of records ${dir === "" ? '""' : path} ${text}`);
}
