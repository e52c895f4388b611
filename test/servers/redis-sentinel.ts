import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { tellRedis } from "../helpers/redis.ts";
import { findProgram, missing, ServerMissing } from "./binaries.ts";
import { temporaryFolder } from "./folders.ts";
import { answers, freePort } from "./ports.ts";
import { untilWhole, type RedisGroup } from "./redis-group.ts";
import { startRedis } from "./redis.ts";
import { startServer, type Server, type Use } from "./server.ts";

/** A sentinel that runs. */
export interface Sentinel extends Server {
  readonly port: number;
}

/** Two servers and those who watch over them. */
export interface GuardedRedis extends RedisGroup {
  readonly sentinels: readonly Sentinel[];
}

/** The name of what they watch over. */
const NAME = "main";
const SENTINELS = 3;
const QUORUM = 2;
/** How long the primary may say nothing before it counts as gone, and how long one attempt at replacing it may take; milliseconds. */
const TIMES = { silent: 2_000, attempt: 10_000 };

/** @throws ServerMissing when there is no redis-server. */
async function startSentinel(primary: number): Promise<Sentinel> {
  const program = findProgram("redis", "redis-server");
  if (program === null) throw new ServerMissing(missing("redis") ?? "redis-server is not here");
  const port = await freePort();
  const dataDir = temporaryFolder("sentinel");
  const file = join(dataDir, "sentinel.conf");
  const lines = [
    `port ${port}`,
    "bind 127.0.0.1",
    `dir ${dataDir}`,
    `sentinel monitor ${NAME} 127.0.0.1 ${primary} ${QUORUM}`,
    `sentinel down-after-milliseconds ${NAME} ${TIMES.silent}`,
    `sentinel failover-timeout ${NAME} ${TIMES.attempt}`,
  ];
  writeFileSync(file, lines.map((line) => `${line}\n`).join(""));
  const server = await startServer({
    name: "Sentinel",
    command: program.path,
    args: [file, "--sentinel"],
    env: program.env,
    dataDir,
    ready: () => answers(port),
  });
  return { ...server, port };
}

/** What a sentinel knows: where the primary is, and whether everybody is there. */
async function viewOf({ port }: Sentinel): Promise<string | null> {
  const known = (await tellRedis(
    `redis://127.0.0.1:${port}`,
    "SENTINEL",
    "MASTER",
    NAME,
  )) as readonly string[];
  const value = (name: string) => known[known.indexOf(name) + 1];
  const isWhole =
    value("flags") === "master" &&
    value("num-slaves") === "1" &&
    value("num-other-sentinels") === String(SENTINELS - 1);
  return isWhole ? (value("port") ?? null) : null;
}

/** A primary, a replica and three sentinels; all are ended by whoever `use` belongs to. */
export async function startRedisSentinel(use: Use): Promise<GuardedRedis> {
  const primary = await use(startRedis({ config: { "repl-diskless-sync-delay": "0" } }));
  const replica = await use(
    startRedis({
      config: { "repl-diskless-sync-delay": "0", replicaof: `127.0.0.1 ${primary.port}` },
    }),
  );
  const nodes = [primary, replica];
  const sentinels: Sentinel[] = [];
  const isAgreed = async () => {
    const views = new Set(await Promise.all(sentinels.map(viewOf)));
    return views.size === 1 && !views.has(null);
  };
  // A sentinel that finds the replica in place asks for it again only ten seconds later.
  await untilWhole({ url: primary.url, nodes, isAgreed: async () => true });
  for (let at = 0; at < SENTINELS; at += 1) sentinels.push(await use(startSentinel(primary.port)));
  const url = `redis+sentinel://${sentinels.map(({ port }) => `127.0.0.1:${port}`).join(",")}/${NAME}`;
  const group = { url, nodes, sentinels, isAgreed };
  await untilWhole(group);
  return group;
}
