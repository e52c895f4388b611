import type { Clock } from "../../clock.ts";
import { compareClocks } from "../../doctor/clocks.ts";
import type { Report } from "../../doctor/report.ts";
import type { RedisAddress } from "./address.ts";
import { redisLink, redisScript, type RedisLink, type RedisTls } from "./client.ts";
import { isTooOld, redisHealth, type RedisHealth } from "./health.ts";

/** Names of scratch keys, on one node of a cluster, under the prefix that ours have. */
const SCRATCH = ["stream", "before", "after", "marks"].map((name) => `{c360:doctor}:${name}`);

/**
 * Calls on scratch keys everything that publishing calls, and answers what was refused, with the reply. The keys are gone
 * afterwards.
 */
const TRY_ALL = redisScript(`
local refused = {}
local function try(...)
  local reply = redis.pcall(...)
  if type(reply) == 'table' and reply.err then
    refused[#refused + 1] = ({...})[1] .. ': ' .. reply.err
  end
end
local stream, before, after, marks = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
try('INFO', 'server')
try('XADD', stream, '1-1', 'a', 'b')
try('XTRIM', stream, 'MINID', '1-2')
try('HSET', before, 'a', '1')
try('HMGET', before, 'a')
try('EXISTS', before)
try('RENAME', before, after)
try('RPUSH', marks, 'a')
try('LINDEX', marks, 0)
try('LPOP', marks)
try('UNLINK', after)
try('DEL', stream, before, after, marks)
return refused
`);

/** Where the Redis is, and our clock. */
export interface RedisExamination {
  readonly address: RedisAddress;
  readonly tls?: RedisTls;
  readonly clock: Clock;
  readonly deadlineMs: number;
}

/** Looks at a Redis, and leaves nothing there. Throws UPDATES_UNAVAILABLE when it does not answer. */
export async function examineRedis({ clock, ...where }: RedisExamination, report: Report): Promise<void> {
  const link = redisLink({ ...where, name: "customer360-doctor" });
  try {
    const health = await redisHealth(link);
    if (isTooOld(health.version))
      report.wrong(
        "server",
        `version ${health.version}`,
        "run Redis 6.2 or newer: streams are trimmed by id",
      );
    else report.ok("server", `version ${health.version}`);
    examineMemory(health, report);
    examinePersistence(health, report);
    await examineRights(link, report);
    await examineClock(link, clock, report);
  } finally {
    link.close();
  }
}

/** Part of the memory limit above which publishing will soon fail. */
const NEARLY_FULL = 0.8;

function examineMemory({ eviction, usedBytes, maxBytes }: RedisHealth, report: Report): void {
  if (eviction === "noeviction") report.ok("eviction", "noeviction");
  else
    report.wrong(
      "eviction",
      `maxmemory-policy ${eviction}: a full memory throws updates away`,
      "CONFIG SET maxmemory-policy noeviction, and the same in redis.conf; give caches a Redis of their own",
    );
  const used = `${megabytes(usedBytes)} used`;
  if (maxBytes === null) return report.ok("memory", `${used}, no limit of its own`);
  const found = `${used} of ${megabytes(maxBytes)}`;
  const part = usedBytes / maxBytes;
  const todo = "raise maxmemory, or find what else fills it: publishing fails while it is full";
  if (part >= 1) report.wrong("memory", found, todo);
  else if (part >= NEARLY_FULL) report.warning("memory", found, todo);
  else report.ok("memory", found);
}

function examinePersistence({ persistence }: RedisHealth, report: Report): void {
  switch (persistence) {
    case null:
      return report.ok("persistence", "not told: the user may not call CONFIG GET");
    case "none":
    case "snapshots":
      return report.warning(
        "persistence",
        persistence === "none" ? "nothing is kept over a restart" : "only snapshots are kept over a restart",
        "appendonly yes: else each restart tells every subscriber of a gap, and all read anew",
      );
    case "no":
      return report.warning(
        "persistence",
        "append-only file, but appendfsync no: the machine's crash takes what its system had not written, half a minute or so",
        "CONFIG SET appendfsync everysec, and the same in redis.conf",
      );
    default:
      return report.ok("persistence", `append-only file, appendfsync ${persistence}`);
  }
}

async function examineRights(link: RedisLink, report: Report): Promise<void> {
  const todo = "let the user call it on keys that begin with {c360: (ACL SETUSER), and connect to a master";
  try {
    const refused = [
      ...((await link.run(TRY_ALL, SCRATCH, [])) as readonly string[]),
      ...(await refusedRead(link)),
    ];
    if (refused.length === 0) report.ok("rights", "everything that is called may be called");
    else report.wrong("rights", `refused: ${refused.join("; ")}`, todo);
  } catch (error) {
    report.wrong("rights", (error as Error).message, todo);
  }
}

async function refusedRead(link: RedisLink): Promise<readonly string[]> {
  try {
    await link.call("XREAD", ["COUNT", 1, "STREAMS", SCRATCH[0] ?? "", "0-0"]);
    return [];
  } catch (error) {
    return [`XREAD: ${(error as Error).message}`];
  }
}

async function examineClock(link: RedisLink, clock: Clock, report: Report): Promise<void> {
  await compareClocks(report, clock, async () => {
    try {
      const [seconds, micros] = (await link.call("TIME", [])) as readonly [string, string];
      return Number(seconds) * 1_000 + Math.round(Number(micros) / 1_000);
    } catch {
      return null;
    }
  });
}

function megabytes(bytes: number): string {
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}
