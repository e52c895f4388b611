import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openAdapters, type Adapters } from "../src/adapters.ts";
import { systemClock } from "../src/clock.ts";
import { silentLog } from "../src/log.ts";
import { SHAPES, update } from "./contract/shapes.ts";
import { addressIn } from "./helpers/redis.ts";
import { describeServer } from "./servers/describe-server.ts";
import { startRedis } from "./servers/redis.ts";

describeServer("with a Redis", { needs: ["redis"], start: (use) => use(startRedis()) }, (redis) => {
  test("stores that share it do not see each other's updates, and a store opened again sees its own, in as many streams as before", async () => {
    const dirs = [0, 1].map(() => mkdtempSync(join(tmpdir(), "c360-adapters-")));
    const open: Adapters[] = [];
    const openIn = async (dir = "", streams = 1) => {
      const adapters = await openAdapters(
        {
          plan: SHAPES,
          dataDir: dir,
          fresh: false,
          source: null,
          updates: { kind: "redis", address: addressIn(redis().url), ca: null, streams },
        },
        { clock: systemClock, log: silentLog },
      );
      open.push(adapters);
      return adapters;
    };
    const shut = async (adapters: Adapters) => {
      open.splice(open.indexOf(adapters), 1);
      await adapters.updates.close();
      await adapters.store.close();
      adapters.release();
    };
    const [one, other] = await Promise.all(dirs.map((dir) => openIn(dir)));
    if (one === undefined || other === undefined) throw new Error("two were opened");
    const [before, elsewhere] = [await one.updates.tail(), await other.updates.tail()];
    await one.updates.publish([update("ann", 1)]);
    expect(await other.updates.tail()).toBe(elsewhere);
    await shut(one);
    const again = await openIn(dirs[0]);
    const read = await again.updates.read(before, { limit: 5, signal: AbortSignal.abort() });
    expect(read).toMatchObject({
      kind: "entries",
      entries: [{ update: { customerId: "ann", revision: 1 } }],
    });
    await shut(again);
    await expect(openIn(dirs[0], 2)).rejects.toMatchObject({
      code: "SETTINGS_INVALID",
      message: expect.stringContaining(
        "REDIS_STREAMS is 2, but the processes of this store have agreed on 1",
      ),
    });
    for (const each of [...open]) await shut(each);
    for (const dir of dirs) rmSync(dir, { recursive: true });
  });
});
