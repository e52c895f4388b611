import { tellRedis } from "../helpers/redis.ts";
import { freePort, until } from "./ports.ts";
import { untilWhole, type RedisGroup } from "./redis-group.ts";
import { startRedis, type Redis } from "./redis.ts";
import type { Use } from "./server.ts";

/** Below three nobody can outvote anybody. */
const PRIMARIES = 3;
const SLOTS = 16_384;
/** How long a node may say nothing before the others agree that it is gone, milliseconds. */
const SILENT_MS = 2_000;
const FORMED_MS = 60_000;

async function startNode(use: Use): Promise<Redis> {
  const config = {
    "cluster-enabled": "yes",
    "cluster-port": String(await freePort()),
    "cluster-node-timeout": String(SILENT_MS),
    "repl-diskless-sync-delay": "0",
  };
  return use(startRedis({ config }));
}

async function knows(node: Redis, count: number): Promise<boolean> {
  const nodes = String(await tellRedis(node.url, "CLUSTER", "NODES"));
  return nodes.trim().split("\n").length === count && !nodes.includes("handshake");
}

async function isOk({ url }: Redis): Promise<boolean> {
  const [info, nodes] = [await tellRedis(url, "CLUSTER", "INFO"), await tellRedis(url, "CLUSTER", "NODES")];
  return (
    /cluster_state:ok[^]*cluster_slots_ok:16384/.test(String(info)) &&
    !/fail|disconnected/.test(String(nodes))
  );
}

async function all(nodes: readonly Redis[], holds: (node: Redis) => Promise<boolean>): Promise<boolean> {
  return (await Promise.all(nodes.map(holds))).every(Boolean);
}

/** A cluster of three primaries with a replica each, which take over by themselves. Its nodes are ended by whoever `use` belongs to. */
export async function startRedisCluster(use: Use): Promise<RedisGroup> {
  const nodes: Redis[] = [];
  for (let at = 0; at < 2 * PRIMARIES; at += 1) nodes.push(await startNode(use));
  const [first] = nodes;
  if (first === undefined) throw new Error("unreachable");
  for (const [at, { url, port }] of nodes.entries()) {
    await tellRedis(url, "CLUSTER", "SET-CONFIG-EPOCH", at + 1);
    const [from, to] = [at, at + 1].map((part) => Math.floor((part * SLOTS) / PRIMARIES));
    if (at < PRIMARIES) await tellRedis(url, "CLUSTER", "ADDSLOTSRANGE", from ?? 0, (to ?? 0) - 1);
    const bus = String(await tellRedis(url, "CLUSTER", "NODES")).match(/@(\d+)/)?.[1] ?? "";
    if (at > 0) await tellRedis(first.url, "CLUSTER", "MEET", "127.0.0.1", port, bus);
  }
  await until(() => all(nodes, (node) => knows(node, nodes.length)), AbortSignal.timeout(FORMED_MS));
  for (const [at, { url }] of nodes.slice(PRIMARIES).entries()) {
    const id = String(await tellRedis(nodes[at]?.url ?? "", "CLUSTER", "MYID"));
    await tellRedis(url, "CLUSTER", "REPLICATE", id);
  }
  const url = `redis+cluster://${nodes.map(({ port }) => `127.0.0.1:${port}`).join(",")}`;
  const group: RedisGroup = { url, nodes, isAgreed: () => all(nodes, isOk) };
  await untilWhole(group);
  return group;
}
