import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { systemClock } from "../../../src/clock.ts";
import { silentLog } from "../../../src/log.ts";
import { redisUpdates } from "../../../src/updates/redis/updates.ts";
import type { RedisUpdates } from "../../../src/updates/redis/updates.ts";
import { update } from "../../contract/shapes.ts";
import { addressIn, tellRedis } from "../../helpers/redis.ts";
import { findProgram } from "../../servers/binaries.ts";
import { describeServer } from "../../servers/describe-server.ts";
import { temporaryFolder } from "../../servers/folders.ts";
import { answers, freePort, until } from "../../servers/ports.ts";
import { startRedis } from "../../servers/redis.ts";
import type { Redis } from "../../servers/redis.ts";
import { startServer } from "../../servers/server.ts";

const opened: RedisUpdates[] = [];
afterEach(async () => {
  for (const updates of opened.splice(0)) await updates.close();
});

function openAt(url: string, shards = 1): RedisUpdates {
  const updates = redisUpdates({
    ...{
      address: addressIn(url),
      clock: systemClock,
      log: silentLog,
      shards,
      prefix: `topology-${shards}`,
      deadlineMs: 10_000,
    },
  });
  opened.push(updates);
  return updates;
}

/** Publishes from one process and follows in another. */
async function expectCarried(url: string, shards: number): Promise<void> {
  const [publisher, reader] = [openAt(url, shards), openAt(url, shards)];
  let at = await reader.tail();
  const names = ["ann", "bob", "cat", "dan", "eve", "fay"];
  const told: string[] = [];
  const follow = async () => {
    while (told.length < 2 * names.length) {
      const read = await reader.read(at, { limit: 4, signal: new AbortController().signal });
      if (read.kind === "gap" || read.entries.length === 0) throw new Error("a gap, or closed");
      told.push(...read.entries.map((entry) => `${entry.update.customerId}${entry.update.revision}`));
      at = read.entries.at(-1)?.cursor ?? at;
    }
  };
  const followed = follow();
  for (const revision of [1, 2]) await publisher.publish(names.map((name) => update(name, revision)));
  await followed;
  expect(told.sort()).toEqual(names.flatMap((name) => [`${name}1`, `${name}2`]));
  await publisher.check();
}

async function freeBusPort(): Promise<string> {
  return String(await freePort());
}

describeServer(
  "A cluster",
  {
    needs: ["redis"],
    start: async (use) => {
      const nodes: Redis[] = [];
      for (let node = 0; node < 2; node += 1)
        nodes.push(
          await use(
            startRedis({ config: { "cluster-enabled": "yes", "cluster-port": await freeBusPort() } }),
          ),
        );
      const [first, second] = nodes;
      if (first === undefined || second === undefined) throw new Error("unreachable");
      await tellRedis(first.url, "CLUSTER", "ADDSLOTSRANGE", 0, 8_191);
      await tellRedis(second.url, "CLUSTER", "ADDSLOTSRANGE", 8_192, 16_383);
      const bus = String(await tellRedis(second.url, "CLUSTER", "NODES")).match(/@(\d+)/)?.[1] ?? "";
      await tellRedis(first.url, "CLUSTER", "MEET", "127.0.0.1", second.port, bus);
      const isWhole = async () => {
        const infos = await Promise.all(nodes.map(({ url }) => tellRedis(url, "CLUSTER", "INFO")));
        return infos.every((info) => /cluster_state:ok[^]*cluster_slots_ok:16384/.test(String(info)));
      };
      await until(isWhole, AbortSignal.timeout(30_000));
      return first;
    },
  },
  (node) => {
    test.each([1, 5])("carries updates in %s streams, which lie on several nodes", async (shards) => {
      await expectCarried(`redis+cluster://127.0.0.1:${node().port}`, shards);
    });
  },
);

describeServer(
  "A master that a sentinel knows",
  {
    needs: ["redis"],
    start: async (use) => {
      const { port: master } = await use(startRedis());
      const program = findProgram("redis", "redis-server");
      if (program === null) throw new Error("redis-server is not here");
      const dataDir = temporaryFolder("sentinel");
      const port = await freePort();
      const file = join(dataDir, "sentinel.conf");
      const lines = [
        `port ${port}`,
        "bind 127.0.0.1",
        `dir ${dataDir}`,
        `sentinel monitor main 127.0.0.1 ${master} 1`,
      ];
      writeFileSync(file, lines.map((line) => `${line}\n`).join(""));
      await use(
        startServer({
          ...{
            name: "Sentinel",
            command: program.path,
            args: [file, "--sentinel"],
            env: program.env,
            dataDir,
          },
          ready: () => answers(port),
        }),
      );
      return port;
    },
  },
  (port) => {
    test("carries updates, asked for by its name", async () => {
      await expectCarried(`redis+sentinel://127.0.0.1:${port()}/main`, 1);
    });
  },
);
