import { describe, expect, it } from "vitest";
import type { Watch } from "../../src/updates/watch.ts";
import { settle } from "../helpers/manual-clock.ts";
import { ANN, bankOf, RICH, told, watch } from "./watching.ts";
import type { World } from "./world.ts";

const bank = bankOf();

describe("watching many", () => {
  it("never mixes two customers, in bursts and with readers of any pace", async () => {
    const w = bank();
    const pairs = ["ann", "bob"].map((customerId) => watch(w, { field: "customerUpdates", customerId }));
    const [ann, bob] = pairs;
    if (ann === undefined || bob === undefined) throw new Error("unreachable");
    await ann.next();
    await bob.next();
    const seen: Record<string, string[]> = { ann: [], bob: [] };
    for (let round = 0; round < 50; round++) {
      for (let n = 0; n < 3; n++) {
        await w.change("ann");
        await w.change("bob");
      }
      for (const frame of await ann.some(3)) seen.ann?.push(told(frame));
      if (round % 2 === 1) for (const frame of await bob.some(6)) seen.bob?.push(told(frame));
    }
    const expected = (id: string) => Array.from({ length: 150 }, (_, n) => `${id}@${n + 1}`);
    expect(seen).toEqual({ ann: expected("ann"), bob: expected("bob") });
  });

  it("tells once that a customer left the filter, and nothing of those who never were in it", async () => {
    const w = bank();
    await w.change("ann", { metrics: { balance: 200 } });
    await w.change("bob", { metrics: { balance: 50 } });
    const { next, some } = watch(w, { field: "customersUpdates", filter: RICH });
    expect(told(await next())).toBe("snapshot ann@1");
    const changes = some(5);
    await settle();
    await w.change("bob", { metrics: { balance: 150 } });
    await w.change("bob", { metrics: { balance: 60 } });
    await w.change("bob", { metrics: { balance: 70 } });
    await w.change("ann", { metrics: { visits: 1 } });
    await w.change("ann", { metrics: { balance: 1 } });
    await w.change("ann", { metrics: { balance: 2 } });
    await w.change("ann", { metrics: { balance: 300 } });
    expect((await changes).map(told)).toEqual(["bob@2", "-bob@3", "ann@2", "-ann@3", "ann@5"]);
  });

  it("tells who left the filter while the reader was away", async () => {
    const w = bank();
    await w.change("ann", { metrics: { balance: 200 } });
    const first = watch(w, { field: "customersUpdates", filter: RICH });
    const { cursor } = await first.next();
    await first.stream.return?.();
    await w.change("ann", { metrics: { visits: 1 } });
    await w.change("ann", { metrics: { balance: 1 } });
    await settle();
    const again = watch(w, { field: "customersUpdates", filter: RICH }, { after: cursor });
    const seen = [told(await again.next())];
    if (seen[0] !== "-ann@3") seen.push(told(await again.next()));
    expect(seen.at(-1)).toBe("-ann@3");
  });

  it("of segments shows members, then transitions of the segments asked for only", async () => {
    const w = bank();
    const move = (segment: string, to: string) => ({ segments: [{ segment, from: null, to }] });
    await w.change("ann", move("engagement", "LOW"));
    const what: Watch = { field: "segmentUpdates", segments: ["engagement"], customerId: null };
    const { next } = watch(w, what);
    w.documents.get("ann");
    expect(told(await next())).toMatch(/^snapshot/);
    await w.change("bob", move("spending", "HIGH"));
    await w.change("bob", { metrics: { a: 1 } });
    await w.change("bob", move("engagement", "HIGH"));
    expect(await next()).toMatchObject({
      revision: 3,
      segments: [{ segment: "engagement", from: null, to: "HIGH" }],
    });
  });

  it("of offers shows them, then the states asked for only", async () => {
    const w = bank();
    const made = { offers: [{ offer: "loan", from: null, to: "TRIGGERED" as const }] };
    const gone = { offers: [{ offer: "loan", from: "TRIGGERED" as const, to: "EXPIRED" as const }] };
    await w.change("ann", made);
    const what: Watch = { field: "offerUpdates", customerId: null, offers: ["loan"], states: ["TRIGGERED"] };
    const { next } = watch(w, what);
    expect(told(await next())).toBe("snapshot ann:loan=TRIGGERED");
    await w.change("ann", gone);
    await w.change("bob", made);
    expect(told(await next())).toBe("bob@1");
  });

  it("shares one frame among identical subscriptions, and none between scopes", async () => {
    const w = bank();
    const other: World = { ...w, context: { ...w.context, viewer: { id: "x", scope: "less" } } };
    const all = [watch(w, ANN), watch(w, ANN, { mode: "LATEST" }), watch(other, ANN)];
    for (const each of all) await each.next();
    const waiting = Promise.all(all.map((each) => each.next()));
    await settle();
    await w.change("ann");
    const [a, b, c] = await waiting;
    expect(a).toBe(b);
    expect(a).not.toBe(c);
  });
});
