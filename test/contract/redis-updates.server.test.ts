import { describe } from "vitest";
import { tellRedis, addressIn } from "../helpers/redis.ts";
import { redisUpdates } from "../../src/updates/redis/updates.ts";
import { silentLog } from "../../src/log.ts";
import type { Updates } from "../../src/updates/updates.ts";
import { describeServer } from "../servers/describe-server.ts";
import { startRedis } from "../servers/redis.ts";
import { updatesContract } from "./updates.contract.ts";

describeServer("with a Redis", { needs: ["redis"], start: (use) => use(startRedis()) }, (redis) => {
  let streams = 0;

  describe.each([1, 3])("in so many streams: %s,", (shards) => {
    updatesContract("redis", async ({ clock, keep }) => {
      const { url } = redis();
      const prefix = `contract-${(streams += 1)}`;
      const open: Updates[] = [];
      const add = () => {
        const updates = redisUpdates({
          address: addressIn(url),
          clock,
          log: silentLog,
          keep,
          prefix,
          shards,
        });
        open.push(updates);
        return updates;
      };
      const forget = async () => {
        const keys = (await tellRedis(url, "KEYS", `{${prefix}:*`)) as readonly string[];
        if (keys.length > 0) await tellRedis(url, "DEL", ...keys);
      };
      return {
        updates: add(),
        other: async () => add(),
        restart: async () => {
          await forget();
          return add();
        },
        dispose: async () => {
          for (const updates of open) await updates.close();
          await forget();
        },
      };
    });
  });
});
