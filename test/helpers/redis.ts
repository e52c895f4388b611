import { parseRedisUrl } from "../../src/updates/redis/address.ts";
import type { RedisAddress } from "../../src/updates/redis/address.ts";
import { redisLink } from "../../src/updates/redis/client.ts";
import type { RedisArgs } from "../../src/updates/redis/client.ts";

/** The address in a URL that a test made. */
export function addressIn(url: string): RedisAddress {
  const parsed = parseRedisUrl(url);
  if (parsed.kind === "fault") throw new Error(`${url} ${parsed.reason}`);
  return parsed.address;
}

/** Gives a Redis one command, over a connection of its own. */
export async function tellRedis(url: string, command: string, ...args: RedisArgs): Promise<unknown> {
  const link = redisLink({ address: addressIn(url), name: "test", deadlineMs: 5_000 });
  try {
    return await link.call(command, args);
  } finally {
    link.close();
  }
}
