import fc from "fast-check";
import { afterEach, expect, test } from "vitest";
import { systemClock } from "../../../src/clock.ts";
import { codeOf } from "../../../src/errors.ts";
import { silentLog } from "../../../src/log.ts";
import { createHub } from "../../../src/updates/hub.ts";
import type { Hub } from "../../../src/updates/hub.ts";
import { redisUpdates } from "../../../src/updates/redis/updates.ts";
import type { RedisUpdates, RedisUpdatesOptions } from "../../../src/updates/redis/updates.ts";
import type { StreamCursor, StreamRead, Updates } from "../../../src/updates/updates.ts";
import { update } from "../../contract/shapes.ts";
import { addressIn, tellRedis } from "../../helpers/redis.ts";
import { layWire } from "../../helpers/wire.ts";
import { describeServer, needsOurOwn } from "../../servers/describe-server.ts";
import { until } from "../../servers/ports.ts";
import { startRedis } from "../../servers/redis.ts";
import { told, watch } from "../watching.ts";
import { world } from "../world.ts";

const opened: RedisUpdates[] = [];
const hubs: Hub[] = [];
afterEach(async () => {
  for (const hub of hubs.splice(0)) await hub.close();
  for (const updates of opened.splice(0)) await updates.close();
});

let streams = 0;
function openAt(url: string, options: Partial<RedisUpdatesOptions> = {}): RedisUpdates {
  const updates = redisUpdates({
    ...{ address: addressIn(url), clock: systemClock, log: silentLog, prefix: `faults-${streams}` },
    ...{ deadlineMs: 10_000, blockMs: 200, ...options },
  });
  opened.push(updates);
  return updates;
}

const ALL = { field: "customersUpdates", filter: null } as const;
const NEVER = new AbortController().signal;
const namesIn = (read: StreamRead) =>
  read.kind === "gap"
    ? read
    : read.entries.map(({ update: { customerId, revision } }) => `${customerId}${revision}`);
const readAll = (from: Updates, after: StreamCursor) =>
  from.read(after, { limit: 1_000, signal: AbortSignal.abort() });
const patiently = AbortSignal.timeout.bind(AbortSignal, 20_000);

/** Until it works, as the pipeline and the hub do. */
async function insist<T>(attempt: () => Promise<T>): Promise<T> {
  let result: { readonly value: T } | null = null;
  await until(async () => {
    try {
      result = { value: await attempt() };
      return true;
    } catch (error) {
      if (codeOf(error) !== "UPDATES_UNAVAILABLE") throw error;
      return false;
    }
  }, patiently());
  if (result === null) throw new Error("unreachable");
  return (result as { readonly value: T }).value;
}

// A Redis that syncs every second puts off writing while a slow disk syncs: then even kill -9 can take what it has acknowledged.
const sure = { config: { appendfsync: "always" } };

describeServer(
  "Redis under faults,",
  { needs: ["redis"], start: (use) => use(startRedis(sure)) },
  (redis) => {
    const fresh = (options: Partial<RedisUpdatesOptions> = {}) => {
      streams += 1;
      return openAt(redis().url, options);
    };
    const sameStream = (options: Partial<RedisUpdatesOptions> = {}) => openAt(redis().url, options);
    const key = (name: string) => `{faults-${streams}:0}:${name}`;

    test("killed and started with its data: nothing published is lost, a reader goes on, and cursors stay good", async (context) => {
      needsOurOwn(context, redis());
      const updates = fresh();
      const begin = await updates.tail();
      await updates.publish([update("ann", 1), update("bob", 1)]);
      const old = await updates.tail();
      const waiting = sameStream().read(old, { limit: 10, signal: NEVER });
      const failed = expect(waiting).rejects.toMatchObject({ code: "UPDATES_UNAVAILABLE" });
      await redis().kill();
      await failed;
      await expect(updates.publish([update("ann", 2)])).rejects.toMatchObject({
        code: "UPDATES_UNAVAILABLE",
      });
      expect(updates.isConnected()).toBe(false);
      await redis().restart();
      const reader = sameStream();
      const read = insist(() => reader.read(old, { limit: 10, signal: NEVER }));
      await insist(() => updates.publish([update("bob", 1), update("ann", 2)]));
      expect(updates.isConnected()).toBe(true);
      expect(namesIn(await read)).toEqual(["ann2"]);
      expect(namesIn(await readAll(updates, begin))).toEqual(["ann1", "bob1", "ann2"]);
      expect(updates.compare(old, await updates.tail())).toBeLessThan(0);
    });

    test("flushed: a waiting reader and every older cursor get a gap of unknown size, once, and then all that comes", async () => {
      const updates = fresh();
      const begin = await updates.tail();
      await updates.publish([update("ann", 1), update("ann", 2)]);
      const waiting = updates.read(await updates.tail(), { limit: 10, signal: NEVER });
      await tellRedis(redis().url, "FLUSHALL");
      const gap = await waiting;
      expect(gap).toMatchObject({ kind: "gap", reason: "RESTART", missed: null });
      expect(await readAll(updates, begin)).toMatchObject({ kind: "gap", reason: "RESTART", missed: null });
      await updates.publish([update("ann", 3)]);
      expect(namesIn(await readAll(updates, gap.kind === "gap" ? gap.resumeAt : ""))).toEqual(["ann3"]);
    });

    test("flushed and at once filled further than a reader had come: the reader is told, and not given what is not behind its cursor", async () => {
      const updates = fresh();
      await updates.publish([update("ann", 1)]);
      const cursor = await updates.tail();
      const waiting = updates.read(cursor, { limit: 10, signal: NEVER });
      await tellRedis(redis().url, "FLUSHALL");
      await sameStream().publish([1, 2, 3].map((revision) => update("bob", revision)));
      expect(await waiting).toMatchObject({ kind: "gap", reason: "RESTART" });
      expect(updates.compare(cursor, await updates.tail())).toBeNull();
    });

    test("flushed, and told again what it had forgotten: subscribers whose snapshot showed it are not", async () => {
      const updates = fresh();
      const bank = world();
      const hub = createHub({ updates, clock: bank.clock, log: silentLog });
      hubs.push(hub);
      const all = watch({ ...bank, context: { ...bank.context, hub } }, ALL);
      await hub.start();
      const longAgo = [bank.save("ann"), bank.save("bob"), bank.save("bob")];
      await updates.publish(longAgo);
      await bank.clock.advance(3_600_000);
      await updates.publish([bank.save("zoe")]);
      await hub.caughtUp(NEVER);
      const texts = (await all.some(1)).map(told);
      const waiting = all.next();
      await tellRedis(redis().url, "FLUSHALL");
      texts.push(told(await waiting), told(await all.next()));
      await sameStream().publish([...longAgo, bank.save("bob")]);
      texts.push(told(await all.next()));
      const snapshot = "snapshot ann@1 bob@2 zoe@1";
      expect(texts).toEqual([snapshot, "gap RESTART null", snapshot, "bob@3"]);
      await all.stream.return();
    });

    test.each(["state", "reached"])("its key %s alone is lost: the stream begins anew", async (name) => {
      const updates = fresh();
      await updates.publish([update("ann", 1)]);
      const cursor = await updates.tail();
      await tellRedis(redis().url, "DEL", key(name));
      await sameStream().publish([update("ann", 2)]);
      expect(await readAll(updates, cursor)).toMatchObject({ kind: "gap", reason: "RESTART", missed: null });
    });

    test("trimmed by hand, in part, whole, or roughly: older cursors are told how many are missing, later ones get everything", async () => {
      const updates = fresh();
      const cursors = [await updates.tail()];
      for (let revision = 1; revision <= 6; revision += 1) {
        await updates.publish([update("ann", 2 * revision), update("bob", 2 * revision)]);
        cursors.push(await updates.tail());
      }
      for (const trim of [[4], ["~", 1], [1], [0]]) {
        await tellRedis(redis().url, "XTRIM", key("stream"), "MAXLEN", ...trim);
        const first = 6 - Number(await tellRedis(redis().url, "XLEN", key("stream")));
        for (const [index, cursor] of cursors.entries()) {
          const read = await readAll(updates, cursor);
          if (index < first) expect(read).toMatchObject({ reason: "RETENTION", missed: 2 * (first - index) });
          else expect(read).toMatchObject({ kind: "entries", entries: { length: 2 * (6 - index) } });
        }
      }
      await updates.publish([update("cat", 1)]);
      expect(namesIn(await readAll(updates, cursors[6] ?? ""))).toEqual(["cat1"]);
      expect(await readAll(updates, cursors[5] ?? "")).toMatchObject({ reason: "RETENTION", missed: 2 });
    });

    test("an entry deleted from the middle is a gap where it was, and not before", async () => {
      const updates = fresh();
      const begin = await updates.tail();
      for (let revision = 1; revision <= 3; revision += 1) await updates.publish([update("ann", revision)]);
      const [, second] = (await tellRedis(redis().url, "XRANGE", key("stream"), "-", "+")) as [
        string,
        unknown,
      ][];
      await tellRedis(redis().url, "XDEL", key("stream"), second?.[0] ?? "");
      const read = await readAll(updates, begin);
      expect(namesIn(read)).toEqual(["ann1"]);
      const after = read.kind === "entries" ? (read.entries[0]?.cursor ?? "") : "";
      expect(await readAll(updates, after)).toMatchObject({ kind: "gap", reason: "RETENTION", missed: 1 });
    });

    test("frozen: publishing and reading fail within their deadline, and go on when it is thawed", async (context) => {
      needsOurOwn(context, redis());
      const updates = fresh({ deadlineMs: 1_000 });
      await updates.publish([update("ann", 1)]);
      const cursor = await updates.tail();
      const waiting = updates.read(cursor, { limit: 10, signal: NEVER });
      const failed = expect(waiting).rejects.toMatchObject({ code: "UPDATES_UNAVAILABLE" });
      redis().freeze();
      await failed;
      await expect(updates.publish([update("ann", 2)])).rejects.toMatchObject({
        code: "UPDATES_UNAVAILABLE",
      });
      redis().thaw();
      const read = insist(() => updates.read(cursor, { limit: 10, signal: NEVER }));
      await insist(() => updates.publish([update("ann", 2)]));
      expect(namesIn(await read)).toEqual(["ann2"]);
    });

    test("the answer to a publication is lost: it fails, and published again it has no effect", async () => {
      const direct = fresh();
      const begin = await direct.tail();
      const wire = await layWire(redis().port);
      const updates = sameStream({ address: addressIn(`redis://127.0.0.1:${wire.port}`) });
      for (let revision = 1; revision <= 5; revision += 1) {
        await updates.tail();
        const batch = [update("ann", revision), update("bob", revision)];
        const lost = wire.loseNextAnswer();
        await expect(updates.publish(batch)).rejects.toMatchObject({ code: "UPDATES_UNAVAILABLE" });
        await lost;
        expect(await readAll(direct, begin)).toMatchObject({ entries: { length: 2 * revision } });
        await updates.publish(batch);
      }
      const read = await readAll(direct, begin);
      expect(read.kind === "entries" ? read.entries.length : read).toBe(10);
      await wire.close();
    });

    test("a connection that leads nowhere is noticed by a reader within its deadline, and replaced", async () => {
      const direct = fresh();
      const wire = await layWire(redis().port);
      const updates = sameStream({ address: addressIn(`redis://127.0.0.1:${wire.port}`), deadlineMs: 1_000 });
      const cursor = await updates.tail();
      const waiting = updates.read(cursor, { limit: 10, signal: NEVER });
      const failed = expect(waiting).rejects.toMatchObject({ code: "UPDATES_UNAVAILABLE" });
      wire.hang();
      await direct.publish([update("ann", 1)]);
      await failed;
      wire.heal();
      expect(namesIn(await insist(() => updates.read(cursor, { limit: 10, signal: NEVER })))).toEqual([
        "ann1",
      ]);
      await wire.close();
    });

    test("a script the server has forgotten is sent again", async () => {
      const updates = fresh();
      const begin = await updates.tail();
      await tellRedis(redis().url, "SCRIPT", "FLUSH");
      await updates.publish([update("ann", 1)]);
      expect(namesIn(await readAll(updates, begin))).toEqual(["ann1"]);
    });

    test("publishers that race with any part of one history leave each customer's revisions rising and its last one told", async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.array(fc.nat(5), { minLength: 1, maxLength: 8 }), { minLength: 2, maxLength: 4 }),
          fc.integer({ min: 1, max: 3 }),
          async (histories, size) => {
            const first = fresh();
            const begin = await first.tail();
            const last = new Map<string, number>();
            const published = histories.map((history) => {
              const revisions = new Map<string, number>();
              return history.map((customer) => {
                const id = `c${customer}`;
                const revision = (revisions.get(id) ?? 0) + 1;
                revisions.set(id, revision);
                last.set(id, Math.max(last.get(id) ?? 0, revision));
                return update(id, revision);
              });
            });
            await Promise.all(
              published.map(async (each) => {
                const by = sameStream();
                for (let from = 0; from < each.length; from += size)
                  await by.publish(each.slice(Math.max(0, from - 1), from + size));
              }),
            );
            const read = await readAll(first, begin);
            if (read.kind === "gap") throw new Error("a gap");
            const told = new Map<string, number>();
            for (const { update: entry } of read.entries) {
              expect(entry.revision).toBeGreaterThan(told.get(entry.customerId) ?? 0);
              told.set(entry.customerId, entry.revision);
            }
            expect(new Map([...told].sort())).toEqual(new Map([...last].sort()));
            for (const updates of opened.splice(0)) await updates.close();
          },
        ),
        { numRuns: 25 },
      );
    });

    test("what is remembered of customers is forgotten with what the stream forgets", async () => {
      const updates = fresh({ keep: { count: 50, ageMs: 1_000_000 } });
      for (let at = 0; at < 40; at += 1)
        await updates.publish(Array.from({ length: 10 }, (_, index) => update(`c${10 * at + index}`, 1)));
      const sizes = await Promise.all(
        ["reached", "before"].map((name) => tellRedis(redis().url, "HLEN", key(name))),
      );
      expect(Number(sizes[0]) + Number(sizes[1])).toBeLessThanOrEqual(150);
      const before = await updates.tail();
      await updates.publish(Array.from({ length: 50 }, (_, index) => update(`c${350 + index}`, 1)));
      expect(await updates.tail()).toBe(before);
    });
  },
);

describeServer(
  "A Redis that keeps nothing,",
  { needs: ["redis"], start: (use) => use(startRedis({ config: { appendonly: "no" } })) },
  (redis) => {
    test("started again: whoever had read is told of a gap, whoever comes later reads what is published later", async () => {
      streams += 1;
      const updates = openAt(redis().url);
      await updates.publish([update("ann", 1)]);
      const old = await updates.tail();
      await redis().kill();
      await redis().restart();
      await insist(() => updates.publish([update("ann", 1), update("ann", 2)]));
      const read = await readAll(updates, old);
      expect(read).toMatchObject({ kind: "gap", reason: "RESTART", missed: null });
    });

    test("put back from a copy: cursors within the copy are good only while nobody knows of more", async () => {
      streams += 1;
      const { url } = redis();
      const updates = openAt(url);
      await updates.publish([update("ann", 1)]);
      const within = await updates.tail();
      await tellRedis(url, "SAVE");
      // Nobody knows of more than the copy holds.
      await redis().kill();
      await redis().restart();
      const second = openAt(url);
      await second.publish([update("ann", 2)]);
      expect(namesIn(await readAll(second, within))).toEqual(["ann2"]);
      // What was published behind the copy is lost; a reader that never heard of it cannot know, who published it does.
      const beyond = await second.tail();
      await redis().kill();
      await redis().restart();
      const stranger = openAt(url);
      await stranger.publish([update("bob", 1), update("bob", 2), update("bob", 3)]);
      expect(namesIn(await readAll(stranger, within))).toEqual(["bob1", "bob2", "bob3"]);
      expect(await readAll(stranger, beyond)).toMatchObject({ kind: "gap", reason: "RESTART" });
      expect(stranger.compare(beyond, await stranger.tail())).toBeNull();
      await insist(() => second.publish([update("ann", 3)]));
      expect(await readAll(stranger, within)).toMatchObject({ kind: "gap", reason: "RESTART" });
    });
  },
);
