import { rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { tellRedis } from "../helpers/redis.ts";
import { loseEnd } from "../servers/kafka-log.ts";
import type { Proxy } from "../servers/proxy.ts";
import type { Server } from "../servers/server.ts";
import { PAYMENTS, PEOPLE } from "./history.ts";
import type { Fault } from "./schedule.ts";
import type { Stack } from "./stack.ts";
import type { Topics } from "./topics.ts";

/** Its name holds that of the store. */
const STREAMS = "{c360:*}:stream";
/** Some dozens of records. */
const LOST_BYTES = 20_000;

async function killed(server: Server, holdMs: number, meanwhile: () => void = () => {}): Promise<void> {
  await server.kill();
  meanwhile();
  await delay(holdMs);
  await server.restart();
}

async function frozen(server: Server, holdMs: number): Promise<void> {
  server.freeze();
  await delay(holdMs);
  server.thaw();
}

async function broken(proxy: Proxy, holdMs: number, how: (proxy: Proxy) => void): Promise<void> {
  how(proxy);
  await delay(holdMs);
  proxy.resume();
}

/** Injects a fault and ends it: resolves once what was killed answers again, or the link works again. */
export async function inject({ kind, which, holdMs }: Fault, stack: Stack, topics: Topics): Promise<void> {
  const { kafka, mongo, redis, proxies, ingest, api } = stack;
  switch (kind) {
    case "ingest-kill":
      return killed(ingest[which], holdMs);
    case "ingest-freeze":
      return frozen(ingest[which], holdMs);
    case "ingest-storm":
      for (const round of [0, 1, 0]) await ingest[round === which ? 0 : 1].restart();
      return;
    case "api-kill":
      return killed(api[which], holdMs);
    case "api-freeze":
      return frozen(api[which], holdMs);
    case "kafka-kill":
      return killed(kafka, holdMs);
    case "kafka-lose":
      // Consumers look again before there is as much as they had read, or once there is more.
      if (which === 1) proxies.kafka.cut();
      await topics.lose(() =>
        killed(kafka, holdMs, () => {
          for (const topic of [PEOPLE, PAYMENTS]) loseEnd(kafka, { topic, partition: which }, LOST_BYTES);
        }),
      );
      return proxies.kafka.resume();
    case "kafka-cut":
      return broken(proxies.kafka, holdMs, (proxy) => proxy.cut());
    case "kafka-half-open":
      return broken(proxies.kafka, holdMs, (proxy) => proxy.blackhole());
    case "store-kill":
      return killed(mongo, holdMs);
    case "store-cut":
      return broken(proxies.store, holdMs, (proxy) => proxy.cut());
    case "store-half-open":
      return broken(proxies.store, holdMs, (proxy) => proxy.blackhole());
    case "store-lost-replies":
      return broken(proxies.store, holdMs, (proxy) => proxy.dropReplies());
    case "store-slow":
      return broken(proxies.store, holdMs, (proxy) => proxy.delay(50, 100));
    case "redis-kill":
      return killed(redis, holdMs);
    case "redis-wipe":
      return killed(redis, holdMs, () => rmSync(join(redis.dataDir, "appendonlydir"), { recursive: true }));
    case "redis-flushall":
      await tellRedis(redis.url, "FLUSHALL");
      return;
    case "redis-trim":
      for (const stream of (await tellRedis(redis.url, "KEYS", STREAMS)) as readonly string[])
        await tellRedis(redis.url, "XTRIM", stream, "MAXLEN", 0);
      return;
    case "redis-cut":
      return broken(proxies.redis, holdMs, (proxy) => proxy.cut());
    case "redis-half-open":
      return broken(proxies.redis, holdMs, (proxy) => proxy.blackhole());
    case "redis-lost-replies":
      return broken(proxies.redis, holdMs, (proxy) => proxy.dropReplies());
    case "redis-slow":
      return broken(proxies.redis, holdMs, (proxy) => proxy.delay(50, 100));
  }
}
