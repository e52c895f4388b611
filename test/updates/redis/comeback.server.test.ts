import { afterEach, expect, test } from "vitest";
import { systemClock } from "../../../src/clock.ts";
import { silentLog } from "../../../src/log.ts";
import { createHub, type Hub } from "../../../src/updates/hub.ts";
import { redisUpdates, type RedisUpdates } from "../../../src/updates/redis/updates.ts";
import { addressIn, tellRedis } from "../../helpers/redis.ts";
import { describeServer } from "../../servers/describe-server.ts";
import { startRedis } from "../../servers/redis.ts";
import { told, watch } from "../watching.ts";
import { world, type World } from "../world.ts";

const opened: RedisUpdates[] = [];
const hubs: Hub[] = [];
afterEach(async () => {
  for (const hub of hubs.splice(0)) await hub.close();
  for (const updates of opened.splice(0)) await updates.close();
});

const CUSTOMERS = Array.from({ length: 300 }, (_, index) => `c${index}`);
const ROUNDS = 4;
const NEVER = new AbortController().signal;

describeServer(
  "After the restart of a process",
  { needs: ["redis"], start: (use) => use(startRedis({ config: {} })) },
  (redis) => {
    /** A process: a reader of the stream, and what its subscriptions go through. */
    const processOf = async (bank: World, shards: number) => {
      const address = addressIn(redis().url);
      const times = { deadlineMs: 30_000, prefix: `comeback-${shards}` };
      const updates = redisUpdates({ address, clock: systemClock, log: silentLog, shards, ...times });
      const hub = createHub({ updates, clock: bank.clock, log: silentLog });
      opened.push(updates);
      hubs.push(hub);
      await hub.start();
      const follow = (customerId: string, after: string | null) =>
        watch(
          { ...bank, context: { ...bank.context, hub } },
          { field: "customerUpdates", customerId },
          { after },
        );
      return { updates, hub, follow };
    };
    const calls = async (command: string) => {
      const stats = String(await tellRedis(redis().url, "INFO", "commandstats"));
      return Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(stats)?.[1] ?? 0);
    };

    test.each([1, 3])(
      "everybody who comes back is told all it missed, and of %s streams each part is read about once",
      async (shards) => {
        const bank = world();
        const before = await processOf(bank, shards);
        const publish = async (customers: readonly string[]) =>
          before.updates.publish(customers.map((customer) => bank.save(customer)));
        await publish(CUSTOMERS);
        await before.hub.caughtUp(NEVER);
        // Cursors from all over what follows.
        const cursors: string[] = [];
        for (const [at, customer] of CUSTOMERS.entries()) {
          const { next, stream } = before.follow(customer, null);
          cursors.push((await next()).cursor ?? "");
          await stream.return();
          if (at % 10 === 9) await publish(CUSTOMERS.slice(at - 9, at + 1));
          if (at % 10 === 9) await before.hub.caughtUp(NEVER);
        }
        for (let round = 1; round < ROUNDS; round += 1) await publish(CUSTOMERS);
        const after = await processOf(bank, shards);
        const [reads, questions] = [await calls("xread"), await calls("evalsha")];
        const frames = await Promise.all(
          CUSTOMERS.map(async (customer, at) => {
            const { some, stream } = after.follow(customer, cursors[at] ?? null);
            const changes = await some(ROUNDS);
            await stream.return();
            return changes.map(told);
          }),
        );
        for (const [at, customer] of CUSTOMERS.entries())
          expect(frames[at]).toEqual([2, 3, 4, 5].map((revision) => `${customer}@${revision}`));
        // One by one it would be thousands.
        expect((await calls("xread")) - reads).toBeLessThan(50 * shards);
        expect((await calls("evalsha")) - questions).toBeLessThan(100 * shards);
      },
    );
  },
);
