import { tellRedis } from "../helpers/redis.ts";
import { until } from "./ports.ts";
import type { Redis } from "./redis.ts";

/** Redis servers that stand in for one another. */
export interface RedisGroup {
  /** How a program is told of them. */
  readonly url: string;
  /** All that hold keys, whichever of them are primaries now. */
  readonly nodes: readonly Redis[];
  /** True once every one of them agrees who is what, and nobody is missing. */
  readonly isAgreed: () => Promise<boolean>;
}

/** Who has a key now, and who is to take over. */
export interface RedisPair {
  readonly primary: Redis;
  readonly replica: Redis;
}

type Role =
  | readonly ["master", number, readonly (readonly [host: string, port: string, offset: string])[]]
  | readonly ["slave", host: string, port: number, state: string, offset: number];

const AGREED_MS = 90_000;

async function roleOf(node: Redis): Promise<Role | null> {
  return tellRedis(node.url, "ROLE").then(
    (role) => role as Role,
    () => null,
  );
}

async function accepts(node: Redis, key: string): Promise<boolean> {
  return tellRedis(node.url, "EXISTS", key).then(
    () => true,
    () => false,
  );
}

/** The primary that has a key, asked of those that answer; null while there is none. */
export async function primaryOf(nodes: readonly Redis[], key: string): Promise<Redis | null> {
  for (const node of nodes)
    if ((await roleOf(node))?.[0] === "master" && (await accepts(node, key))) return node;
  return null;
}

/** The primary that has a key and a replica of it. Throws when there is none of the two. */
export async function pairOf({ nodes }: RedisGroup, key: string): Promise<RedisPair> {
  const primary = await primaryOf(nodes, key);
  if (primary === null) throw new Error(`nobody has ${key}`);
  for (const replica of nodes) {
    const role = await roleOf(replica);
    if (role?.[0] === "slave" && role[2] === primary.port) return { primary, replica };
  }
  throw new Error(`nobody has a copy of ${key}`);
}

/** Every primary has a replica, and that has all its primary had when it was first asked. */
async function isCopied(nodes: readonly Redis[], begun: Map<Redis, number>): Promise<boolean> {
  const roles = await Promise.all(nodes.map(roleOf));
  return nodes.every((node, at) => {
    const role = roles[at] ?? null;
    if (role === null) return false;
    if (role[0] === "slave") return role[3] === "connected";
    const offset = begun.get(node) ?? role[1];
    begun.set(node, offset);
    return role[2].length > 0 && role[2].every(([, , copied]) => Number(copied) >= offset);
  });
}

/** Waits until everything is agreed on, and copied as far as it was when this began. */
export async function untilWhole({ nodes, isAgreed }: RedisGroup): Promise<void> {
  const begun = new Map<Redis, number>();
  const isWhole = async () => (await isCopied(nodes, begun)) && (await isAgreed());
  await until(isWhole, AbortSignal.timeout(AGREED_MS));
}

/** Waits until somebody else than a node has taken over a key; answers who. */
export async function successorOf({ nodes }: RedisGroup, key: string, fallen: Redis): Promise<Redis> {
  const rest = nodes.filter((node) => node !== fallen);
  let found: Redis | null = null;
  await until(async () => (found = await primaryOf(rest, key)) !== null, AbortSignal.timeout(AGREED_MS));
  if (found === null) throw new Error("unreachable");
  return found;
}

/** From now on the replica is given nothing any more, and what its primary has not yet given it, it never gets. */
export async function holdBack({ primary, replica }: RedisPair): Promise<void> {
  // A password that nobody asked for is refused, so that the replica cannot come back.
  await tellRedis(replica.url, "CONFIG", "SET", "masterauth", "nobody asked");
  await tellRedis(primary.url, "CLIENT", "KILL", "TYPE", "replica");
  const isAlone = async () => {
    const role = await roleOf(primary);
    return role?.[0] === "master" && role[2].length === 0;
  };
  await until(isAlone, AbortSignal.timeout(AGREED_MS));
}

/** Ends what `holdBack` began. */
export async function letGo(replica: Redis): Promise<void> {
  await tellRedis(replica.url, "CONFIG", "SET", "masterauth", "");
}
