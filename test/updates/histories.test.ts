import fc from "fast-check";
import { expect, it } from "vitest";
import type { Update } from "../../src/customer/customer.ts";
import type { CustomerFilter } from "../../src/customer/values/filter.ts";
import { matches } from "../../src/customer/values/filter.ts";
import type { Frame } from "../../src/resolvers/frames/frames.ts";
import type { DeliveryMode, Watch } from "../../src/updates/watch.ts";
import { changesSince, frames } from "../../src/resolvers/updates.ts";
import { settle } from "../helpers/manual-clock.ts";
import { world } from "./world.ts";
import type { World } from "./world.ts";

const NAMES = ["ann", "bob", "cat"] as const;
const RICH: CustomerFilter = {
  kind: "field",
  field: { kind: "metric", name: "balance", as: "number" },
  test: { op: "gt", value: 5 },
};
const WATCHES: readonly Watch[] = [
  { field: "customerUpdates", customerId: "ann" },
  { field: "customersUpdates", filter: null },
  { field: "customersUpdates", filter: RICH },
];

type Action =
  | { readonly do: "save"; readonly who: number; readonly balance: number; readonly isLate: boolean }
  | { readonly do: "publish" }
  | { readonly do: "pull"; readonly count: number }
  | { readonly do: "reconnect"; readonly mode: DeliveryMode; readonly back: number }
  | { readonly do: "poll"; readonly first: number }
  | { readonly do: "repeat"; readonly back: number }
  | { readonly do: "trim"; readonly keep: number }
  | { readonly do: "restart" }
  | { readonly do: "settle" };

const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      do: fc.constant("save" as const),
      who: fc.nat(NAMES.length - 1),
      balance: fc.nat(10),
      isLate: fc.boolean(),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("publish" as const) }) },
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant("pull" as const), count: fc.integer({ min: 1, max: 6 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("reconnect" as const),
      mode: fc.constantFrom<DeliveryMode>("LATEST", "EVERY"),
      back: fc.nat(2),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("poll" as const), first: fc.integer({ min: 1, max: 4 }) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("repeat" as const), back: fc.nat(6) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("trim" as const), keep: fc.nat(4) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("restart" as const) }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant("settle" as const) }) },
);

/** What a client knows that applies every frame it gets, and complains of what a promise rules out. */
class Client {
  readonly #revisions = new Map<string, number>();
  #listing = new Set<string>();
  #isGap = false;
  #isListing = false;
  readonly cursors: { readonly cursor: string; readonly state: string }[] = [];

  shows(): Record<string, number> {
    return Object.fromEntries([...this.#revisions].sort());
  }

  take(frame: Frame): void {
    if (this.#isGap && frame.kind !== "snapshot") throw new Error(`a Gap is followed by ${frame.kind}`);
    if (frame.kind === "gap") this.#isGap = true;
    if (frame.kind === "snapshot" && frame.items.of === "customers") {
      this.#isGap = false;
      if (!this.#isListing) this.#listing = new Set(this.#revisions.keys());
      this.#isListing = !frame.complete;
      for (const { customerId, revision } of frame.items.customers) {
        if ((this.#revisions.get(customerId) ?? 0) > revision) throw new Error("the snapshot is older");
        this.#revisions.set(customerId, revision);
        this.#listing.delete(customerId);
      }
      if (frame.complete) for (const gone of this.#listing) this.#revisions.delete(gone);
    }
    if (frame.kind === "change") {
      const { customerId } = frame.customer;
      const before = this.#revisions.get(customerId) ?? 0;
      if (frame.revision <= before) throw new Error(`${customerId} went from ${before} to ${frame.revision}`);
      if (frame.matches) this.#revisions.set(customerId, frame.revision);
      else this.#revisions.delete(customerId);
    }
    if (frame.cursor !== null)
      this.cursors.push({ cursor: frame.cursor, state: JSON.stringify([...this.#revisions]) });
  }

  /** As it was when it got an earlier cursor. */
  back(steps: number): { readonly client: Client; readonly after: string | null } {
    const index = this.cursors.length - 1 - steps;
    const at = this.cursors[index];
    const client = new Client();
    if (at === undefined) return { client, after: null };
    for (const [id, revision] of JSON.parse(at.state) as [string, number][])
      client.#revisions.set(id, revision);
    client.cursors.push(...this.cursors.slice(0, index + 1));
    return { client, after: at.cursor };
  }
}

async function run(watch: Watch, actions: readonly Action[]): Promise<void> {
  const w = world({ ring: 5, waiting: 4, waitingCustomers: 2 });
  const unpublished: Update[] = [];
  let client = new Client();
  let mode: DeliveryMode = "EVERY";
  let stream = frames(w.context, watch, { after: null, mode });
  let pulling: Promise<IteratorResult<Frame>> | null = null;
  const pull = async (): Promise<boolean> => {
    pulling ??= stream.next();
    const result = await Promise.race([pulling, settle(8).then(() => null)]);
    if (result === null) return false;
    pulling = null;
    if (result.done === true) throw new Error("the stream ended");
    client.take(result.value);
    return true;
  };
  const reconnect = async (to: DeliveryMode, back: number): Promise<void> => {
    await stream.return?.();
    pulling = null;
    mode = to;
    const from = client.back(back);
    client = from.client;
    stream = frames(w.context, watch, { after: from.after, mode });
  };
  const publish = () => w.stream.publish(unpublished.splice(0));
  const act = async (each: Action): Promise<void> => {
    switch (each.do) {
      case "save": {
        const name = NAMES[each.who] ?? "ann";
        unpublished.push(w.save(name, { metrics: { balance: each.balance } }));
        return each.isLate ? undefined : publish();
      }
      case "publish":
        return publish();
      case "pull":
        for (let n = 0; n < each.count; n++) if (!(await pull())) return;
        return;
      case "reconnect":
        return reconnect(each.mode, each.back);
      case "poll": {
        const last = client.cursors.at(-1);
        if (last === undefined) return;
        await stream.return?.();
        const found = await changesSince(w.context, last.cursor, each.first);
        for (const frame of found.frames) client.take(frame);
        pulling = null;
        stream = frames(w.context, watch, { after: found.endCursor, mode });
        client.cursors.push({
          cursor: found.endCursor,
          state: JSON.stringify(Object.entries(client.shows())),
        });
        return;
      }
      case "repeat": {
        const again = w.stream.published.at(-1 - each.back);
        return again === undefined ? undefined : w.stream.repeat(again.update);
      }
      case "trim":
        return w.stream.trim(each.keep);
      case "restart":
        await publish();
        return w.stream.restart();
      case "settle":
        return settle(2);
    }
  };
  for (const each of actions) await act(each);
  await publish();
  await settle();
  while (await pull());
  expect(client.shows()).toEqual(truth(w, watch));
  await stream.return?.();
  expect([w.context.hub.size(), w.context.hub.watched()]).toEqual([0, 0]);
  await w.close();
}

function truth({ documents }: World, watch: Watch): Record<string, number> {
  const listed = [...documents.values()].filter((customer) => {
    if (watch.field === "customerUpdates") return customer.customerId === watch.customerId;
    return watch.field === "customersUpdates" && (watch.filter === null || matches(watch.filter, customer));
  });
  return Object.fromEntries(listed.map(({ customerId, revision }) => [customerId, revision]).sort());
}

/** A customer's newest document comes with the last change that concerns the watch, which may be an earlier one of a filter. */
for (const watch of WATCHES) {
  const name =
    watch.field === "customersUpdates" && watch.filter !== null ? "customersUpdates, filtered" : watch.field;
  it(`${name}: whatever happens, a client ends up with what is, and never goes backwards`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(action, { maxLength: 40 }), (actions) => run(watch, actions)),
      { numRuns: Number(process.env.RUNS ?? 150) },
    );
  });
}
