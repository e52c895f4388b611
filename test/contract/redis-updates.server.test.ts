import { describe } from "vitest";
import { tellRedis, addressIn } from "../helpers/redis.ts";
import { redisUpdates } from "../../src/updates/redis/updates.ts";
import { silentLog } from "../../src/log.ts";
import type { Updates } from "../../src/updates/updates.ts";
import { describeServer } from "../servers/describe-server.ts";
import { startRedisCluster } from "../servers/redis-cluster.ts";
import { startRedisSentinel } from "../servers/redis-sentinel.ts";
import { startRedis } from "../servers/redis.ts";
import type { Use } from "../servers/server.ts";
import { updatesContract } from "./updates.contract.ts";

/** Where updates go, and where their keys lie. */
interface Place {
  readonly url: string;
  readonly nodes: readonly { readonly url: string }[];
}

/** On each node by itself: a cluster deletes no keys of several slots at once, and asks one node for names only. */
async function forget({ nodes }: Place, prefix: string): Promise<void> {
  for (const { url } of nodes) {
    const [role] = (await tellRedis(url, "ROLE")) as readonly unknown[];
    if (role !== "master") continue;
    for (const key of (await tellRedis(url, "KEYS", `{${prefix}:*`)) as readonly string[])
      await tellRedis(url, "DEL", key);
  }
}

function heldBy(title: string, shards: number, start: (use: Use) => Promise<Place>): void {
  describeServer(title, { needs: ["redis"], start }, (place) => {
    let streams = 0;

    updatesContract("redis", async ({ clock, keep }) => {
      const { url } = place();
      const prefix = `contract-${shards}-${(streams += 1)}`;
      const open: Updates[] = [];
      const add = () => {
        const address = addressIn(url);
        const updates = redisUpdates({ address, clock, log: silentLog, keep, prefix, shards });
        open.push(updates);
        return updates;
      };
      return {
        updates: add(),
        other: async () => add(),
        restart: async () => {
          await forget(place(), prefix);
          return add();
        },
        dispose: async () => {
          for (const updates of open) await updates.close();
          await forget(place(), prefix);
        },
      };
    });
  });
}

const alone = async (use: Use): Promise<Place> => {
  const redis = await use(startRedis());
  return { url: redis.url, nodes: [redis] };
};

describe.each([1, 3])("in so many streams: %s,", (shards) => {
  heldBy("with a Redis", shards, alone);
  heldBy("with a cluster of Redis", shards, startRedisCluster);
});
heldBy("with a Redis that sentinels guard", 1, startRedisSentinel);
