import { afterEach, expect, test } from "vitest";
import { systemClock } from "../../../src/clock.ts";
import { silentLog } from "../../../src/log.ts";
import { redisUpdates } from "../../../src/updates/redis/updates.ts";
import type { RedisUpdates } from "../../../src/updates/redis/updates.ts";
import { update } from "../../contract/shapes.ts";
import { addressIn } from "../../helpers/redis.ts";
import { describeServer } from "../../servers/describe-server.ts";
import { startRedisCluster } from "../../servers/redis-cluster.ts";
import { primaryOf } from "../../servers/redis-group.ts";
import { startRedisSentinel } from "../../servers/redis-sentinel.ts";
import type { Server } from "../../servers/server.ts";
import { insist } from "./subscriber.ts";

const opened: RedisUpdates[] = [];
afterEach(async () => {
  for (const updates of opened.splice(0)) await updates.close();
});

function openAt(url: string, shards = 1, deadlineMs = 2_000): RedisUpdates {
  const updates = redisUpdates({
    ...{
      address: addressIn(url),
      clock: systemClock,
      log: silentLog,
      shards,
      prefix: `topology-${shards}`,
      deadlineMs,
    },
  });
  opened.push(updates);
  return updates;
}

/** Publishes from one process and follows in another. */
async function expectCarried(url: string, shards: number): Promise<void> {
  const [publisher, reader] = [openAt(url, shards, 10_000), openAt(url, shards, 10_000)];
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

/** Somebody of those who are asked where to go says nothing; answers are waited for less than they are given in all. */
async function expectFoundWithout(silent: Server, url: string): Promise<void> {
  silent.freeze();
  try {
    const attempt = () => openAt(url).tail();
    for (let opened = 0; opened < 4; opened += 1) await insist(attempt, AbortSignal.timeout(30_000));
  } finally {
    silent.thaw();
  }
}

describeServer("A cluster", { needs: ["redis"], start: startRedisCluster }, (cluster) => {
  test.each([1, 5])("carries updates in %s streams, which lie on several nodes", async (shards) => {
    await expectCarried(cluster().url, shards);
    const holders = await Promise.all(
      Array.from({ length: shards }, (_, at) =>
        primaryOf(cluster().nodes, `{topology-${shards}:${at}}:stream`),
      ),
    );
    expect(new Set(holders).size).toBeGreaterThan(shards === 1 ? 0 : 1);
  });

  test("is found when a node that is asked says nothing", async () => {
    const { nodes, url } = cluster();
    const silent = nodes.at(-1);
    if (silent !== undefined) await expectFoundWithout(silent, url);
  });
});

describeServer("A master that sentinels know", { needs: ["redis"], start: startRedisSentinel }, (guarded) => {
  test("carries updates, asked for by its name", async () => {
    await expectCarried(guarded().url, 1);
  });

  test("is found when the sentinel that is asked first says nothing", async () => {
    const { sentinels, url } = guarded();
    const [silent] = sentinels;
    if (silent !== undefined) await expectFoundWithout(silent, url);
  });
});
