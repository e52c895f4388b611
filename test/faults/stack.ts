import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "../servers/folders.ts";
import { LASTING } from "../servers/java.ts";
import { startKafka, type Kafka } from "../servers/kafka.ts";
import { startMongo, type Mongo } from "../servers/mongo.ts";
import { startProxy, type Proxy } from "../servers/proxy.ts";
import { startRedis, type Redis } from "../servers/redis.ts";
import type { Server } from "../servers/server.ts";
import { PIPELINE } from "./history.ts";
import { startOurs, type OurProcess } from "./processes.ts";

/** Everything that runs: three servers, a proxy in front of each, two processes of ours in each role. */
export interface Stack {
  readonly kafka: Kafka;
  readonly mongo: Mongo;
  readonly redis: Redis;
  readonly proxies: { readonly kafka: Proxy; readonly store: Proxy; readonly redis: Proxy };
  readonly ingest: readonly [OurProcess, OurProcess];
  readonly api: readonly [OurProcess, OurProcess];
  /** The store's address, past the proxy. */
  readonly storeUri: string;
  readonly pipeline: string;
  stop(): Promise<void>;
}

const SECRET = "a secret of the run of faults, for cursors";

/** What is started. */
export interface StackOptions {
  /** The folder of the built program. */
  readonly dist: string;
  /** For a run of so many changes that servers which start soon and stay small would spend their time interpreting and collecting garbage. */
  readonly lasting: boolean;
  /** Called when the servers run and our processes do not. */
  readonly prepare: (kafka: Kafka) => Promise<void>;
}

/** Starts all of it. */
export async function startStack({ dist, lasting, prepare }: StackOptions): Promise<Stack> {
  const stops: (() => Promise<unknown>)[] = [];
  const use = async <S extends Pick<Server, "stop">>(starting: Promise<S>): Promise<S> => {
    const started = await starting;
    stops.unshift(() => started.stop());
    return started;
  };
  const stop = async (): Promise<void> => {
    for (const each of stops.splice(0)) await each();
  };
  try {
    // Asking for a way through a proxy and for files keeps the environment's own servers out of this.
    const [kafka, mongo, redis] = await Promise.all([
      use(startKafka({ proxied: true, java: lasting ? LASTING : [] })),
      use(startMongo({ storage: "file", ...(lasting && { heapMb: 6_144, java: LASTING }) })),
      use(startRedis({ config: {} })),
    ]);
    if (!mongo.ours) throw new Error("unset MONGODB_TEST_URI: the run kills its servers");
    if (kafka.proxied === null) throw new Error("no way through the proxy");
    await prepare(kafka);
    const store = await use(startProxy({ target: mongo.port }));
    const stream = await use(startProxy({ target: redis.port }));
    const pipeline = join(temporaryFolder("faults-pipeline"), "faults.yaml");
    writeFileSync(pipeline, PIPELINE);
    const env = {
      KAFKA_BROKERS: kafka.proxied.brokers,
      MONGODB_URI: `mongodb://127.0.0.1:${store.port}/faults`,
      REDIS_URL: `redis://127.0.0.1:${stream.port}`,
      CURSOR_SECRET: SECRET,
    };
    const start = (role: "ingest" | "api", at: number) =>
      use(
        startOurs({
          dist,
          role,
          at,
          pipeline,
          env: role === "ingest" ? { ...env, KAFKA_INSTANCE: `ingest-${at}` } : env,
        }),
      );
    const ingest = [await start("ingest", 0), await start("ingest", 1)] as const;
    const api = [await start("api", 0), await start("api", 1)] as const;
    const proxies = { kafka: kafka.proxied.proxy, store, redis: stream };
    const storeUri = `mongodb://127.0.0.1:${mongo.port}/faults`;
    return { kafka, mongo, redis, proxies, ingest, api, storeUri, pipeline, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
