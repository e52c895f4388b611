import { afterEach, expect, it } from "vitest";
import { silentLog } from "../../src/log.ts";
import type { Frame } from "../../src/resolvers/frames/frames.ts";
import type { Watch } from "../../src/updates/watch.ts";
import { createHub } from "../../src/updates/hub.ts";
import type { Hub } from "../../src/updates/hub.ts";
import { settle } from "../helpers/manual-clock.ts";
import { ALL, ANN, told, watch } from "./watching.ts";
import { world } from "./world.ts";
import type { World } from "./world.ts";

const FILTERED: Watch = {
  field: "customersUpdates",
  filter: {
    kind: "field",
    field: { kind: "metric", name: "balance", as: "number" },
    test: { op: "gt", value: 0 },
  },
};
const RICH = { metrics: { balance: 1 } };

const hubs: Hub[] = [];
afterEach(async () => {
  for (const hub of hubs.splice(0)) await hub.close();
});

/** Another API process on the same store and stream, which has read something. */
async function newProcess(w: World): Promise<World> {
  const hub = createHub({ updates: w.stream, clock: w.clock, log: silentLog });
  hubs.push(hub);
  await hub.start();
  await w.change("zoe", RICH);
  await settle();
  return { ...w, context: { ...w.context, hub } };
}

/** Customers of long ago, all of them published then, and a stream that forgets all about it. */
async function bankOfLongAgo(many = 3) {
  const w = world();
  hubs.push(w.context.hub);
  await w.context.hub.start();
  const names = ["ann", ...Array.from({ length: many - 1 }, (_, n) => `c${String(n).padStart(4, "0")}`)];
  const updates = [];
  for (const name of names) updates.push(await w.change(name, RICH));
  await settle();
  await minutes(w, 60);
  await w.change("zoe", RICH);
  await settle();
  return { w, updates };
}

async function minutes(w: World, count: number): Promise<void> {
  for (let n = 0; n < count; n += 1) await w.clock.advance(60_000);
}

/** Frames up to the end of a snapshot. */
async function shown({ next }: ReturnType<typeof watch>): Promise<Frame> {
  for (;;) {
    const frame = await next();
    if (frame.kind === "snapshot" && frame.complete) return frame;
  }
}

/** Loses the stream under somebody who watches, and answers the end of the snapshot that is shown instead. */
async function lose(w: World, live: ReturnType<typeof watch>): Promise<Frame> {
  const parked = live.next();
  await settle();
  w.stream.restart();
  expect(told(await parked)).toBe("gap RESTART null");
  return shown(live);
}

/** What is told until a mark comes that everybody is told of, which is not listed. */
async function untilMark(w: World, watching: ReturnType<typeof watch>): Promise<readonly string[]> {
  const mark = await w.change("ann", RICH);
  const found: string[] = [];
  for (;;) {
    const text = told(await watching.next());
    if (text === `ann@${mark.revision}`) return found;
    if (text !== "progress") found.push(text);
  }
}

for (const [name, what] of [
  ["all customers", ALL],
  ["one customer", ANN],
  ["a selection", FILTERED],
] as const)
  it(`of ${name} is told nothing that its snapshot showed when a stream that was lost is told it again`, async () => {
    const { w, updates } = await bankOfLongAgo();
    const live = watch(w, what);
    await shown(live);
    await lose(w, live);
    await w.stream.publish(updates);
    expect(await untilMark(w, live)).toEqual([]);
  });

it("tells all that is newer than what the snapshot showed", async () => {
  const { w, updates } = await bankOfLongAgo();
  const live = watch(w, ALL);
  await shown(live);
  await lose(w, live);
  await w.stream.publish([...updates, w.save("c0001", RICH), w.save("c0001", RICH)]);
  expect(await untilMark(w, live)).toEqual(["c0001@2", "c0001@3"]);
});

for (const many of [3, 400])
  it(`holds for who comes back to one new process after the other, with ${many} customers`, async () => {
    const { w, updates } = await bankOfLongAgo(many);
    const live = watch(w, ALL);
    const before = await shown(live);
    const after = await lose(w, live);
    for (const begin of [before, after]) {
      let cursor = begin.cursor;
      for (let hop = 0; hop < 3; hop += 1) {
        const at = await newProcess(w);
        const back = watch(at, ALL, { after: cursor });
        const first = back.next();
        await settle();
        await w.change("zoe", RICH);
        ({ cursor } = (await first).kind === "change" ? await first : await shown(back));
        await back.stream.return();
        await minutes(w, 2);
      }
      const last = await newProcess(w);
      const again = watch(last, ALL, { after: cursor });
      if (many > 100) await shown(again);
      const first = again.next();
      await settle();
      await w.stream.publish(updates.slice(1));
      await w.change("ann", RICH);
      const texts = [told(await first)];
      while (!texts.some((text) => text.startsWith("ann@"))) texts.push(told(await again.next()));
      expect(texts.filter((text) => /^c\d+@/.test(text))).toEqual([]);
      await again.stream.return();
    }
  });

it("holds for who comes without a cursor soon after the loss", async () => {
  const { w, updates } = await bankOfLongAgo();
  w.stream.restart();
  await settle();
  await minutes(w, 5);
  const late = watch(w, ALL);
  await shown(late);
  await w.stream.publish(updates);
  expect(await untilMark(w, late)).toEqual([]);
});

it("is kept as long as the subscription, and its cursors are as light as any after ten minutes", async () => {
  const { w, updates } = await bankOfLongAgo(400);
  const live = watch(w, ALL);
  await shown(live);
  await lose(w, live);
  let last = live.next();
  for (let n = 0; n < 14; n += 1) {
    await settle();
    await minutes(w, 1);
    if (told(await last) === "progress") last = live.next();
  }
  await w.change("zoe", RICH);
  const { cursor } = await last;
  expect(w.context.cursors.open(cursor ?? "", "everything")).toMatchObject({ page: null, floors: null });
  await w.stream.publish(updates);
  expect(await untilMark(w, live)).toEqual([]);
});

it("is bounded: a process keeps so many revisions and no more, however many watch everything", async () => {
  const w = world({ floors: 100 });
  hubs.push(w.context.hub);
  await w.context.hub.start();
  for (let n = 0; n < 60; n += 1) await w.change(`c${n}`, RICH);
  await settle();
  await minutes(w, 60);
  await w.change("zoe", RICH);
  await settle();
  w.stream.restart();
  await settle();
  const several = [watch(w, ALL), watch(w, ALL), watch(w, ALL)];
  for (const each of several) await shown(each);
  expect(w.context.hub.room.left).toBe(0);
  for (const each of several) await each.stream.return();
  expect(w.context.hub.room.left).toBe(100);
});
