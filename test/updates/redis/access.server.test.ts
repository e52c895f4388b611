import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { inspect } from "node:util";
import { afterEach, expect, test } from "vitest";
import { systemClock } from "../../../src/clock.ts";
import { silentLog } from "../../../src/log.ts";
import type { RedisTls } from "../../../src/updates/redis/client.ts";
import { redisUpdates } from "../../../src/updates/redis/updates.ts";
import type { RedisUpdates, RedisUpdatesOptions } from "../../../src/updates/redis/updates.ts";
import { update } from "../../contract/shapes.ts";
import { addressIn } from "../../helpers/redis.ts";
import { makeCertificates } from "../../servers/certificates.ts";
import type { Certificates } from "../../servers/certificates.ts";
import { describeServer } from "../../servers/describe-server.ts";
import { temporaryFolder } from "../../servers/folders.ts";
import { freePort } from "../../servers/ports.ts";
import { startRedis } from "../../servers/redis.ts";

const opened: RedisUpdates[] = [];
afterEach(async () => {
  for (const updates of opened.splice(0)) await updates.close();
});

function openAt(url: string, options: Partial<RedisUpdatesOptions> = {}): RedisUpdates {
  const updates = redisUpdates({
    ...{ address: addressIn(url), clock: systemClock, log: silentLog, ...options },
  });
  opened.push(updates);
  return updates;
}

async function failureOf(attempt: Promise<unknown>): Promise<unknown> {
  return attempt.then(
    () => expect.fail("it did not fail"),
    (error: unknown) => error,
  );
}

/** The rights docs/OPERATIONS.md asks for. */
const RIGHTS =
  "~{c360:* +ping +info +client|setname +eval +evalsha +xread +xadd +xtrim +hmget +hset +exists +del +unlink +rename +rpush +lindex +lpop";

interface Guarded {
  readonly plain: string;
  readonly port: number;
  readonly certificates: Certificates;
}

describeServer(
  "A guarded Redis",
  {
    needs: ["redis"],
    start: async (use): Promise<Guarded> => {
      const folder = temporaryFolder("redis-tls");
      const certificates = await makeCertificates(folder);
      const file = (name: string, text: string) => {
        writeFileSync(join(folder, name), text);
        return join(folder, name);
      };
      const port = await freePort();
      const { url } = await use(
        startRedis({
          config: {
            "tls-port": String(port),
            "tls-cert-file": file("server.pem", certificates.server.cert),
            "tls-key-file": file("server-key.pem", certificates.server.key),
            "tls-ca-cert-file": file("ca.pem", certificates.ca),
            "tls-auth-clients": "yes",
          },
          users: [
            "user default off",
            `user app on >s3cret/@word ${RIGHTS}`,
            "user poor on >s3cret +ping +info +client|setname",
          ],
        }),
      );
      return { plain: url, port, certificates };
    },
  },
  (guarded) => {
    const secure = (tls: RedisTls) =>
      openAt(`rediss://app:s3cret%2F%40word@127.0.0.1:${guarded().port}`, { tls });

    test("is used over TLS, with a certificate of our own, as a user who has the documented rights and no others", async () => {
      const { ca, client } = guarded().certificates;
      const updates = secure({ ca, ...client });
      const begin = await updates.tail();
      const waiting = updates.read(begin, { limit: 10, signal: new AbortController().signal });
      await updates.publish([update("ann", 1)]);
      expect(await waiting).toMatchObject({ kind: "entries", entries: [{ update: { revision: 1 } }] });
      await updates.check();
      expect(await updates.health()).toMatchObject({ eviction: "noeviction", persistence: null });
    });

    test("that is signed by somebody else, or wants a certificate we have not, is not used", async () => {
      const { ca, client } = guarded().certificates;
      const code = { code: "UPDATES_UNAVAILABLE" };
      await expect(secure({ ...client }).tail()).rejects.toMatchObject(code);
      await expect(secure({ ca }).tail()).rejects.toMatchObject(code);
    });

    test("that refuses us is told by its own words, without password, user or values", async () => {
      const port = new URL(guarded().plain).port;
      const attempts = [
        () => openAt(`redis://app:hunter2@127.0.0.1:${port}`).tail(),
        () => openAt(`redis://poor:s3cret@127.0.0.1:${port}`).publish([update("ann", 1)]),
        () => openAt(guarded().plain).tail(),
      ];
      for (const attempt of attempts) {
        const failure = await failureOf(attempt());
        expect(failure).toMatchObject({
          code: "UPDATES_UNAVAILABLE",
          message: expect.stringMatching(/WRONGPASS|NOPERM|NOAUTH/),
        });
        expect(inspect(failure, { depth: 10, showHidden: true })).not.toMatch(/hunter2|s3cret|profile/);
      }
    });
  },
);

describeServer(
  "A Redis that evicts",
  {
    needs: ["redis"],
    start: (use) =>
      use(
        startRedis({ config: { "maxmemory-policy": "allkeys-lru", maxmemory: "100mb", appendonly: "no" } }),
      ),
  },
  (redis) => {
    test("is refused, with what to do", async () => {
      const updates = openAt(redis().url);
      await expect(updates.check()).rejects.toMatchObject({
        code: "SETTINGS_INVALID",
        message: expect.stringContaining("set maxmemory-policy to noeviction"),
      });
      expect(await updates.health()).toMatchObject({
        ...{ eviction: "allkeys-lru", persistence: "none", maxBytes: 104_857_600 },
        version: expect.stringMatching(/^\d+\.\d+/),
      });
    });
  },
);

describeServer(
  "A full Redis",
  { needs: ["redis"], start: (use) => use(startRedis({ config: { maxmemory: "3mb" } })) },
  (redis) => {
    test("fails a publication whole, and what it took before stays readable", async () => {
      const updates = openAt(redis().url);
      const begin = await updates.tail();
      const publish = async () => {
        for (let revision = 1; ; revision += 1) {
          const batch = Array.from({ length: 100 }, (_, index) => update(`c${index}`, revision));
          await updates.publish(batch);
        }
      };
      await expect(publish()).rejects.toMatchObject({
        code: "UPDATES_UNAVAILABLE",
        message: expect.stringContaining("OOM"),
      });
      const read = await updates.read(begin, { limit: 100_000, signal: AbortSignal.abort() });
      expect(read.kind === "entries" ? read.entries.length % 100 : read).toBe(0);
    });
  },
);
