import fc from "fast-check";
import { expect, test } from "vitest";
import { parseRedisUrl, REDIS_URL_FORMS } from "../../../src/updates/redis/address.ts";
import type { RedisAddress } from "../../../src/updates/redis/address.ts";

const PLAIN: RedisAddress = {
  ...{ kind: "single", nodes: [{ host: "cache", port: 6_379 }], master: null, db: 0, tls: false },
  ...{ username: null, password: null, sentinelUsername: null, sentinelPassword: null },
};

test.each<[url: string, parts: Partial<RedisAddress>]>([
  ["redis://cache", {}],
  ["redis://cache/", {}],
  ["redis://@cache:6379/0", {}],
  ["redis://cache:7000/3", { nodes: [{ host: "cache", port: 7_000 }], db: 3 }],
  ["rediss://cache", { tls: true }],
  ["redis://[::1]:7000", { nodes: [{ host: "::1", port: 7_000 }] }],
  ["redis://:s3cret@cache", { password: "s3cret" }],
  ["redis://app:s3cret@cache", { username: "app", password: "s3cret" }],
  ["redis://a%40b:p%2Fq%3Ar%25@cache", { username: "a@b", password: "p/q:r%" }],
  ["redis://app:p:q@cache", { username: "app", password: "p:q" }],
  ["redis://app:p/q@r@cache", { username: "app", password: "p/q@r" }],
  [
    "redis+sentinel://s1,s2:7001/main",
    {
      kind: "sentinel",
      nodes: [
        { host: "s1", port: 26_379 },
        { host: "s2", port: 7_001 },
      ],
      master: "main",
    },
  ],
  [
    "rediss+sentinel://app:one@s1/main/2?sentinelUsername=watch&sentinelPassword=t%20wo",
    {
      ...{ kind: "sentinel", nodes: [{ host: "s1", port: 26_379 }], master: "main", db: 2, tls: true },
      ...{ username: "app", password: "one", sentinelUsername: "watch", sentinelPassword: "t wo" },
    },
  ],
  [
    "rediss+cluster://:p@n1:7000,n2",
    {
      ...{ kind: "cluster", tls: true, password: "p" },
      nodes: [
        { host: "n1", port: 7_000 },
        { host: "n2", port: 6_379 },
      ],
    },
  ],
])("%s is understood", (url, parts) => {
  expect(parseRedisUrl(url)).toEqual({ kind: "address", address: { ...PLAIN, ...parts } });
});

test.each([
  ["http://cache", `is none of ${REDIS_URL_FORMS}`],
  ["cache:6379", `is none of ${REDIS_URL_FORMS}`],
  ["redis://", `is none of ${REDIS_URL_FORMS}`],
  ["redis+proxy://cache", `is none of ${REDIS_URL_FORMS}`],
  ["redis://cache:0", "has a port that is none"],
  ["redis://cache:66000", "has a port that is none"],
  ["redis://ca che", "has a host that is none"],
  ["redis://a,b", "names several hosts: say redis+sentinel:// or redis+cluster://"],
  ["redis://app@cache", "has a user without a password (for a password alone, write a colon before it)"],
  ["redis://cache/one", "has a database that is no number"],
  ["redis://cache/1/2", "has too long a path"],
  ["redis+sentinel://cache", "does not name the master: redis+sentinel://host/master"],
  ["redis+cluster://a,b/1", "has a database: a cluster has none but 0"],
  [
    "redis://cache?tls=true",
    "has a query: only sentinelUsername and sentinelPassword are known, of redis+sentinel://",
  ],
])("%s is refused, and told why", (url, reason) => {
  expect(parseRedisUrl(url)).toEqual({ kind: "fault", reason });
});

test("whatever is wrong with an address, its password is not in the reason", () => {
  const secret = "hunter2";
  const noise = fc.string({ unit: fc.constantFrom("@", "/", ":", "%", "?", "#", "a", ",", "[", " ") });
  const scheme = fc.constantFrom("redis", "rediss", "redis+sentinel", "redis+cluster", "http", "");
  fc.assert(
    fc.property(scheme, noise, noise, noise, noise, (name, a, b, c, d) => {
      const parsed = parseRedisUrl(`${name}://${a}:${b}${secret}${c}@${d}`);
      if (parsed.kind === "fault") expect(parsed.reason).not.toContain(secret);
    }),
    { numRuns: 2_000 },
  );
});
