import { Customer360Error } from "../../errors.ts";
import type { RedisLink } from "./client.ts";

/** What an operator wants to know of a Redis; of one node, in a cluster. */
export interface RedisHealth {
  /** Such as `7.0.15`. */
  readonly version: string;
  /** What it does when its memory is full, as it calls it: only `noeviction` never throws updates away. */
  readonly eviction: string;
  /** What a crash of the machine takes: nothing, about a second, half a minute or so, all since the last snapshot, everything; null when the user may not ask. */
  readonly persistence: "always" | "everysec" | "no" | "snapshots" | "none" | null;
  /** Bytes used, and allowed; null without a limit. */
  readonly usedBytes: number;
  readonly maxBytes: number | null;
}

/** Streams can be trimmed by their first id since then. */
const OLDEST = [6, 2] as const;

/** Asks a Redis about itself. Throws UPDATES_UNAVAILABLE when it does not answer. */
export async function redisHealth(link: RedisLink): Promise<RedisHealth> {
  const info = new Map<string, string>();
  for (const section of ["server", "memory", "persistence"]) {
    const text = String(await link.call("INFO", [section]));
    for (const [, name = "", value = ""] of text.matchAll(/^(\w+):(.*?)\r?$/gm)) info.set(name, value);
  }
  const number = (name: string) => Number(info.get(name) ?? 0);
  return {
    version: info.get("redis_version") ?? "",
    eviction: info.get("maxmemory_policy") ?? "",
    persistence: await persistenceOf(link, info.get("aof_enabled") === "1"),
    usedBytes: number("used_memory"),
    maxBytes: number("maxmemory") || null,
  };
}

/** True for a Redis that lacks what publishing needs. */
export function isTooOld(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1]);
}

/** Throws SETTINGS_INVALID, with what to do, when a Redis would lose updates in silence or is too old. */
export function checkHealth({ version, eviction }: RedisHealth): void {
  if (isTooOld(version))
    throw new Customer360Error("SETTINGS_INVALID", `redis ${version} is older than ${OLDEST.join(".")}`);
  if (eviction !== "noeviction")
    throw new Customer360Error(
      "SETTINGS_INVALID",
      `redis throws keys away when its memory is full (maxmemory-policy ${eviction}), updates among them: ` +
        "set maxmemory-policy to noeviction, and give caches a Redis of their own",
    );
}

async function persistenceOf(link: RedisLink, hasLog: boolean): Promise<RedisHealth["persistence"]> {
  const [, value] = await link
    .call("CONFIG", ["GET", hasLog ? "appendfsync" : "save"])
    .then((reply) => reply as readonly string[])
    .catch(() => [] as const);
  if (value === undefined) return null;
  if (!hasLog) return value === "" ? "none" : "snapshots";
  return value === "always" || value === "no" ? value : "everysec";
}
