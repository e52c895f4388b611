import { expect, test } from "vitest";
import { silentLog } from "../../../src/log.ts";
import type { RedisArgs, RedisLink } from "../../../src/updates/redis/client.ts";
import { RedisShard } from "../../../src/updates/redis/shard.ts";
import { update } from "../../contract/shapes.ts";

const EPOCH = "170000000000000001";
const KNOWN_LIFE = 5;
const KNOWN_SEQ = 6;

/** A connection whose answers the test gives. */
function linkOf() {
  const asked: { readonly args: RedisArgs; readonly answer: (reply: unknown) => void }[] = [];
  const link: RedisLink = {
    call: () => Promise.resolve(null),
    run: (_script, _keys, args) => new Promise((answer) => asked.push({ args, answer })),
    isConnected: () => true,
    close: () => {},
  };
  return { link, asked };
}

test("one connection leads to a primary that was replaced, the other to its successor: what only the first has is not forgotten, whichever answers last", async () => {
  const [own, waiting] = [linkOf(), linkOf()];
  const shard = new RedisShard({
    ...{
      name: "{t:0}",
      link: own.link,
      waiting: waiting.link,
      log: silentLog,
      nowMs: () => 1_700_000_000_000,
    },
    ...{ keep: { count: 10, ageMs: 1_000 }, blockMs: 10 },
  });
  const before = { epoch: EPOCH, life: "1-aaaaaaaa", seq: 100 };
  const waited = shard.wait(before, AbortSignal.timeout(20_000));
  const published = shard.publish([update("ann", 1)]);
  await expect.poll(() => [own.asked.length, waiting.asked.length]).toEqual([1, 1]);
  // The one that was replaced takes an update as its 101st; its successor has gone on from 100 to 150.
  own.asked[0]?.answer([EPOCH, "1-aaaaaaaa", "101", "1-aaaaaaaa:0"]);
  await published;
  waiting.asked[0]?.answer([EPOCH, "2-bbbbbbbb", "150", "1-aaaaaaaa:0,2-bbbbbbbb:100"]);
  await expect.poll(() => waiting.asked.length).toBe(2);
  const { args } = waiting.asked[1] ?? { args: [] };
  expect([args[KNOWN_LIFE], args[KNOWN_SEQ]]).toEqual(["1-aaaaaaaa", 101]);
  const anew = "170000000000000002";
  waiting.asked[1]?.answer([anew, "1-bbbbbbbb", "0", "1-bbbbbbbb:0"]);
  await waited;
  const end = shard.end();
  await expect.poll(() => own.asked.length).toBe(2);
  own.asked[1]?.answer([anew, "1-bbbbbbbb", "0", "1-bbbbbbbb:0"]);
  expect(await end).toEqual({ epoch: anew, life: "1-bbbbbbbb", seq: 0 });
});
