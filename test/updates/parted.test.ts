import fc from "fast-check";
import { expect, test } from "vitest";
import { silentLog } from "../../src/log.ts";
import type { Frame } from "../../src/resolvers/frames/frames.ts";
import type { DeliveryMode, Watch } from "../../src/updates/watch.ts";
import { frames } from "../../src/resolvers/updates.ts";
import { createHub } from "../../src/updates/hub.ts";
import { settle } from "../helpers/manual-clock.ts";
import { partedUpdates } from "../helpers/parted-updates.ts";
import { world } from "./world.ts";

const NAMES = ["ann", "bob", "cat", "dan"] as const;
const EVERYBODY: Watch = { field: "customersUpdates", filter: null };

type Action =
  | { readonly do: "change"; readonly who: readonly number[] }
  | { readonly do: "pull"; readonly count: number }
  | { readonly do: "move"; readonly to: number; readonly mode: DeliveryMode }
  | { readonly do: "settle"; readonly turns: number };

const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("change" as const),
      who: fc.array(fc.nat(NAMES.length - 1), { minLength: 1, maxLength: 5 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant("pull" as const), count: fc.integer({ min: 1, max: 5 }) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("move" as const),
      to: fc.nat(1),
      mode: fc.constantFrom<DeliveryMode>("EVERY", "EVERY", "LATEST"),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("settle" as const), turns: fc.nat(3) }) },
);

async function run(actions: readonly Action[], choices: readonly number[], ring: number): Promise<void> {
  const w = world();
  const stream = partedUpdates(3, () => w.clock.nowMs());
  let chosen = 0;
  const choose = (among: number) => (choices[(chosen += 1) % choices.length] ?? 0) % Math.max(1, among);
  const processes = [0, 1].map(() => ({
    ...w.context,
    hub: createHub({ updates: stream.reader(choose), clock: w.clock, log: silentLog, limits: { ring } }),
  }));
  for (const { hub } of processes) await hub.start();
  const revisions = new Map<string, number>();
  let after: string | null = null;
  let mode: DeliveryMode = "EVERY";
  let snapshots = 0;
  const take = (frame: Frame): void => {
    if (frame.kind === "gap" || frame.kind === "ended") throw new Error(`told of ${frame.kind}`);
    after = frame.cursor;
    if (frame.kind === "snapshot" && frame.items.of === "customers") {
      snapshots += 1;
      for (const { customerId, revision } of frame.items.customers) revisions.set(customerId, revision);
    }
    if (frame.kind !== "change") return;
    const { customerId } = frame.customer;
    const before = revisions.get(customerId) ?? 0;
    const isNext = mode === "EVERY" ? frame.revision === before + 1 : frame.revision > before;
    if (!isNext) throw new Error(`${customerId} went from ${before} to ${frame.revision}`);
    revisions.set(customerId, frame.revision);
  };
  const open = (at: number) => frames(processes[at] ?? w.context, EVERYBODY, { after, mode });
  let subscription = open(0);
  let pulling: Promise<IteratorResult<Frame>> | null = null;
  const pull = async (): Promise<boolean> => {
    pulling ??= subscription.next();
    const result = await Promise.race([pulling, settle(40).then(() => null)]);
    if (result === null) return false;
    pulling = null;
    if (result.done === true) throw new Error("the stream ended");
    take(result.value);
    return true;
  };
  while (await pull());
  for (const each of actions) {
    if (each.do === "change")
      await stream.publish(each.who.map((who) => w.save(NAMES[who] ?? "ann", { metrics: { balance: 1 } })));
    if (each.do === "pull") for (let n = 0; n < each.count; n += 1) if (!(await pull())) break;
    if (each.do === "settle") await settle(each.turns);
    if (each.do === "move") {
      await subscription.return?.();
      pulling = null;
      mode = each.mode;
      subscription = open(each.to);
    }
  }
  while (await pull());
  const truth = [...w.documents.values()].map(({ customerId, revision }) => [customerId, revision] as const);
  expect(new Map([...revisions].sort())).toEqual(new Map([...truth].sort()));
  expect(snapshots).toBe(1);
  await subscription.return?.();
  for (const { hub } of processes) {
    expect([hub.size(), hub.watched()]).toEqual([0, 0]);
    await hub.close();
  }
  await w.close();
}

test("a client that goes from process to process, each of which reads the parts of the stream in its own time, gets every revision once and in order", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(action, { maxLength: 30 }),
      fc.array(fc.nat(20), { minLength: 1, maxLength: 40 }),
      fc.constantFrom(3, 4_096),
      run,
    ),
    { numRuns: Number(process.env.RUNS ?? 200) },
  );
});
