import { expect, test } from "vitest";
import { createHolder, type OpenProducer } from "./held.ts";
import { Changes } from "./workloads.ts";

const TOPIC = "profiles";
const MOVED = new Error("This is not the correct coordinator");

/** A broker as producers of one transaction see it: `fails` tells which calls it refuses. */
function broker(fails: (call: string) => boolean) {
  const seen: string[] = [];
  let opened = 0;
  let open: string[] | null = null;
  let life = 0;
  const producer: OpenProducer = () => {
    const own = (opened += 1);
    life = own;
    open = null;
    let isBroken = false;
    const calling = (call: string): void => {
      if (isBroken || own !== life) throw new Error("cannot go on from there");
      isBroken = fails(call);
      if (isBroken) throw MOVED;
    };
    const transaction = () =>
      Promise.resolve().then(() => {
        calling("begin");
        open = [];
        return {
          send: ({ messages }: { messages: readonly { readonly key?: unknown }[] }) =>
            Promise.resolve().then(() => {
              calling("send");
              open?.push(...messages.map(({ key }) => String(key)));
              return [];
            }),
          commit: () =>
            Promise.resolve().then(() => {
              calling("commit");
              seen.push(...(open ?? []));
              open = null;
            }),
        };
      });
    return Promise.resolve({
      transaction,
      disconnect: () => Promise.resolve(),
    }) as unknown as ReturnType<OpenProducer>;
  };
  return { producer, seen, opened: () => opened };
}

/** Refuses the first of these calls, once. */
const once = (what: string) => {
  let isDone = false;
  return (call: string): boolean => {
    if (isDone || call !== what) return false;
    isDone = true;
    return true;
  };
};

const records = new Changes().next("uniform", 2_500);
const keys = records.map(({ key }) => key.toString());

test("held records are seen when they are released, and not before", async () => {
  const { producer, seen, opened } = broker(() => false);
  const holder = createHolder(producer, 0);
  const held = await holder.hold(TOPIC, records);
  expect(seen).toEqual([]);
  const beforeMs = performance.now();
  expect(await held.release()).toBeGreaterThanOrEqual(beforeMs);
  expect(seen).toEqual(keys);
  await (await holder.hold(TOPIC, records)).release();
  expect(seen).toEqual([...keys, ...keys]);
  expect(opened()).toBe(1);
});

test.each(["begin", "send", "commit"])(
  "a refused %s costs a producer, and the records are seen once all the same",
  async (call) => {
    const { producer, seen, opened } = broker(once(call));
    const held = await createHolder(producer, 0).hold(TOPIC, records);
    await held.release();
    expect(seen).toEqual(keys);
    expect(opened()).toBe(2);
  },
);

test("a broker that refuses for ever is told as a failure, and everything is let go", async () => {
  const { producer, seen } = broker((call) => call === "commit");
  const held = await createHolder(producer, 0).hold(TOPIC, records);
  await expect(held.release()).rejects.toBe(MOVED);
  expect(seen).toEqual([]);
});
