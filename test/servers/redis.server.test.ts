import { Redis as Client } from "ioredis";
import { afterEach, expect, test } from "vitest";
import { describeServer, needsOurOwn } from "./describe-server.ts";
import { answers } from "./ports.ts";
import { startRedis } from "./redis.ts";

const open: Client[] = [];
afterEach(() => {
  for (const client of open.splice(0)) client.disconnect();
});

function client(url: string, options = {}): Client {
  const opened = new Client(url, { maxRetriesPerRequest: 1, ...options });
  opened.on("error", () => {});
  open.push(opened);
  return opened;
}

describeServer("Redis", { needs: ["redis"], start: (use) => use(startRedis()) }, (redis) => {
  test("what was written is there after kill -9 and a restart", async (context) => {
    needsOurOwn(context, redis());
    await client(redis().url).set("kept", "yes");
    const before = redis().pid();
    await redis().kill();
    expect(await answers(redis().port)).toBe(false);
    await redis().restart();
    expect(redis().pid()).not.toBe(before);
    expect(await client(redis().url).get("kept")).toBe("yes");
  });

  test("a restart of a running server is an orderly one", async (context) => {
    needsOurOwn(context, redis());
    await client(redis().url).set("kept", "still");
    await redis().restart();
    expect(await client(redis().url).get("kept")).toBe("still");
    expect(redis().log()).toContain("Redis is now ready to exit");
  });

  test("a frozen server takes connections and answers nothing until it is thawed", async (context) => {
    needsOurOwn(context, redis());
    redis().freeze();
    expect(await answers(redis().port)).toBe(true);
    const frozen = client(redis().url, { commandTimeout: 200, retryStrategy: null });
    await expect(frozen.ping()).rejects.toThrow();
    redis().thaw();
    expect(await client(redis().url).ping()).toBe("PONG");
  });
});

describeServer(
  "Redis with a configuration",
  {
    needs: ["redis"],
    start: (use) =>
      use(
        startRedis({
          config: { maxmemory: "20mb", "client-output-buffer-limit": "normal 0 0 0" },
          users: ["user default off", "user reader on >secret ~* +@all"],
        }),
      ),
  },
  (redis) => {
    test("directives and users are those that were asked for", async () => {
      const reader = client(`redis://reader:secret@127.0.0.1:${redis().port}`);
      expect(await reader.config("GET", "maxmemory")).toEqual(["maxmemory", "20971520"]);
      await expect(client(redis().url).ping()).rejects.toThrow("NOAUTH");
    });
  },
);
