import { afterEach, expect, test } from "vitest";
import { systemClock } from "../../../src/clock.ts";
import { silentLog } from "../../../src/log.ts";
import { redisUpdates, type RedisUpdates } from "../../../src/updates/redis/updates.ts";
import { update } from "../../contract/shapes.ts";
import { addressIn } from "../../helpers/redis.ts";
import { describeServer } from "../../servers/describe-server.ts";
import { until } from "../../servers/ports.ts";
import { startRedisCluster } from "../../servers/redis-cluster.ts";
import {
  holdBack,
  letGo,
  pairOf,
  successorOf,
  untilWhole,
  type RedisGroup,
} from "../../servers/redis-group.ts";
import { startRedisSentinel } from "../../servers/redis-sentinel.ts";
import type { Use } from "../../servers/server.ts";
import { insist, Subscriber } from "./subscriber.ts";

const opened: RedisUpdates[] = [];
const ends: AbortController[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) end.abort();
  for (const updates of opened.splice(0)) await updates.close();
});

const SHARDS = 3;
const CUSTOMERS = Array.from({ length: 30 }, (_, index) => `c${index}`);
const patiently = AbortSignal.timeout.bind(AbortSignal, 90_000);
let streams = 0;

/** A stream in a group of servers, and the processes that use it; the times are those of production. */
function streamOn({ url }: RedisGroup) {
  streams += 1;
  const prefix = `failover-${streams}`;
  const saved = new Map<string, number>();
  const open = () => {
    const address = addressIn(url);
    const updates = redisUpdates({ address, clock: systemClock, log: silentLog, prefix, shards: SHARDS });
    opened.push(updates);
    return updates;
  };
  /** Saves the next revision of some customers, and publishes them until that is confirmed. */
  const announce = async (by: RedisUpdates, customers: readonly string[]) => {
    const batch = customers.map((customer) => {
      const revision = (saved.get(customer) ?? 0) + 1;
      saved.set(customer, revision);
      return update(customer, revision);
    });
    await insist(() => by.publish(batch), patiently());
  };
  const subscribe = () => {
    const end = new AbortController();
    ends.push(end);
    const subscriber = new Subscriber(open(), saved);
    const followed = subscriber.follow(end.signal);
    return { subscriber, stop: () => (end.abort(), followed) };
  };
  return { saved, open, announce, subscribe, key: (name: string) => `{${prefix}:0}:${name}` };
}

type Stream = ReturnType<typeof streamOn>;

/** Two processes, each publishing customers of its own, without a pause. */
function publishing({ open, announce }: Stream) {
  const end = new AbortController();
  ends.push(end);
  let batches = 0;
  const loops = [0, 1].map(async (half) => {
    const by = open();
    const mine = CUSTOMERS.filter((_, index) => index % 2 === half);
    for (let at = 0; !end.signal.aborted; at = (at + 4) % mine.length) {
      await announce(by, mine.slice(at, at + 4));
      batches += 1;
    }
  });
  return {
    /** Resolves after so many more batches are confirmed. */
    some: (count: number) => {
      const goal = batches + count;
      return until(async () => batches >= goal, patiently());
    },
    stop: async () => {
      end.abort();
      await Promise.all(loops);
    },
  };
}

/** Everybody ends with the last state, and was told nothing twice and of nothing too late. */
async function expectSound(subscribers: readonly Subscriber[]): Promise<void> {
  await until(async () => subscribers.every((one) => one.knowsAll()), patiently()).catch(() => {});
  for (const one of subscribers) {
    expect(one.breaches).toEqual([]);
    expect(one.knowsAll()).toBe(true);
  }
}

function failovers(title: string, start: (use: Use) => Promise<RedisGroup>): void {
  describeServer(title, { needs: ["redis"], start }, (running) => {
    test("the primary is killed while much is published: publishing and reading go on by themselves, and nothing is told twice or missing in silence", async () => {
      const group = running();
      await untilWhole(group);
      const stream = streamOn(group);
      const publishers = publishing(stream);
      const [one, other] = [stream.subscribe(), stream.subscribe()];
      await publishers.some(50);
      const { primary } = await pairOf(group, stream.key("stream"));
      await primary.kill();
      await successorOf(group, stream.key("stream"), primary);
      await publishers.some(50);
      // The one that was killed comes back as a replica.
      await primary.restart();
      await untilWhole(group);
      await publishers.some(50);
      await publishers.stop();
      await expectSound([one.subscriber, other.subscriber]);
      await Promise.all([one.stop(), other.stop()]);
    });

    test("the replica lacks the end of what was confirmed: whoever was behind it, at it or within it gets a gap, although nobody publishes any more", async () => {
      const group = running();
      await untilWhole(group);
      const stream = streamOn(group);
      const [publisher, reader] = [stream.open(), stream.open()];
      await stream.announce(publisher, CUSTOMERS);
      const copied = await reader.tail();
      const live = stream.subscribe();
      await untilWhole(group);
      const pair = await pairOf(group, stream.key("stream"));
      await holdBack(pair);
      for (let round = 0; round < 3; round += 1) await stream.announce(publisher, CUSTOMERS);
      const last = await insist(() => publisher.tail(), patiently());
      await until(async () => live.subscriber.knowsAll(), patiently());
      await pair.primary.kill();
      await successorOf(group, stream.key("stream"), pair.primary);
      // What a process does every second, whatever it has to do.
      await insist(() => publisher.tail(), patiently());
      for (const cursor of [copied, last])
        expect(
          await insist(() => reader.read(cursor, { limit: 100, signal: AbortSignal.abort() }), patiently()),
        ).toMatchObject({ kind: "gap", reason: "RESTART", missed: null });
      await stream.announce(publisher, CUSTOMERS);
      await expectSound([live.subscriber]);
      expect(live.subscriber.gaps).toBeGreaterThan(0);
      await live.stop();
      await pair.primary.restart();
      await letGo(pair.replica);
    });

    test("a primary that was frozen wakes up after another took over: what it still takes is not lost in silence", async () => {
      const group = running();
      await untilWhole(group);
      const stream = streamOn(group);
      const [idle, publisher] = [stream.open(), stream.open()];
      await stream.announce(idle, CUSTOMERS);
      const live = stream.subscribe();
      const { primary } = await pairOf(group, stream.key("stream"));
      primary.freeze();
      await successorOf(group, stream.key("stream"), primary);
      await stream.announce(publisher, CUSTOMERS.slice(0, 15));
      primary.thaw();
      // Its connections lead to the one that woke up, until that is told what it is now.
      await stream.announce(idle, CUSTOMERS.slice(15));
      await untilWhole(group);
      await insist(() => idle.tail(), patiently());
      await stream.announce(publisher, CUSTOMERS);
      await expectSound([live.subscriber]);
      await live.stop();
    });
  });
}

failovers("Behind sentinels,", startRedisSentinel);
failovers("In a cluster,", startRedisCluster);
