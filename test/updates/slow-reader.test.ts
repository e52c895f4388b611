import { describe, expect, it } from "vitest";
import { settle } from "../helpers/manual-clock.ts";
import { ALL, ANN, bankOf, count, told, watch } from "./watching.ts";

const bank = bankOf();

describe("a slow reader", () => {
  it("under EVERY is told how many updates it missed: delivered and missed are all that was published", async () => {
    const w = bank({ waiting: 10 });
    await w.change("ann");
    const { next } = watch(w, ANN);
    await next();
    let [delivered, missed] = [0, 0];
    let last = 1;
    for (let round = 0; round < 20; round++) {
      const burst = round % 3 === 0 ? 35 : 7;
      for (let n = 0; n < burst; n++) await w.change("ann");
      await settle();
      while (last < w.stream.published.length) {
        const frame = await next();
        if (frame.kind === "gap") missed += frame.missed ?? 0;
        if (frame.kind === "change") {
          delivered += 1;
          expect(frame.revision).toBeGreaterThan(last);
          last = frame.revision;
        }
        if (frame.kind === "snapshot" && frame.items.of === "customers")
          last = frame.items.customers[0]?.revision ?? 0;
      }
    }
    expect(missed).toBeGreaterThan(50);
    expect(delivered + missed).toBe(w.stream.published.length - 1);
  });

  it("has what the snapshot after a Gap overtook counted as missed", async () => {
    const w = bank({ waiting: 4 });
    const { some, next } = watch(w, ANN);
    await next();
    const idle = next();
    await settle();
    await w.change("ann");
    await idle;
    for (let n = 0; n < 9; n++) await w.change("ann");
    await settle();
    w.beforeRead = async () => {
      w.beforeRead = null;
      for (let n = 0; n < 3; n++) await w.change("ann");
      await settle();
    };
    expect((await some(2)).map(told)).toEqual(["gap SLOW_CONSUMER 12", "snapshot ann@13"]);
    await w.change("ann");
    expect(told(await next())).toBe("ann@14");
  });

  it("under LATEST gets one change per customer with everything that changed", async () => {
    const w = bank();
    const { next } = watch(w, ALL, { mode: "LATEST" });
    await next();
    const idle = next();
    await settle();
    await w.change("zoe");
    await idle;
    const move = (from: string, to: string) => [{ segment: "engagement", from, to }];
    await w.change("ann", { metrics: { a: 1 }, segments: move("LOW", "MEDIUM") });
    await w.change("bob", { metrics: { b: 1 } });
    await w.change("ann", { metrics: { c: 1 }, segments: move("MEDIUM", "HIGH") });
    await settle();
    const [ann, bob] = [await next(), await next()];
    expect(ann).toMatchObject({
      revision: 2,
      changed: ["metrics.a", "metrics.c"],
      segments: move("LOW", "HIGH"),
    });
    expect(told(bob)).toBe("bob@1");
    const again = watch(w, ALL, { after: ann.cursor, mode: "EVERY" });
    expect(told(await again.next())).toBe("bob@1");
    await w.change("ann");
    expect([await again.next(), await next()].map(told)).toEqual(["ann@3", "ann@3"]);
    const last = watch(w, ALL, { after: bob.cursor });
    expect(told(await last.next())).toBe("ann@3");
  });

  it("under LATEST is bounded by customers, then gets a Gap and a snapshot", async () => {
    const w = bank({ waitingCustomers: 5 });
    const { next, some } = watch(w, ALL, { mode: "LATEST" });
    await next();
    const idle = next();
    await settle();
    await w.change("zoe");
    await idle;
    for (let n = 0; n < 8; n++) await w.change(`c${n}`);
    await settle();
    const [gap, snapshot] = await some(2);
    expect(gap && told(gap)).toBe("gap SLOW_CONSUMER 8");
    expect(snapshot && count(snapshot)).toBe(9);
  });

  it("does not disturb the others, and a burst within one turn is no reason to call a reader slow", async () => {
    const w = bank({ waiting: 10 });
    const slow = watch(w, ANN);
    const quick = watch(w, ANN);
    await slow.next();
    await quick.next();
    const seen = quick.some(500);
    for (let n = 0; n < 500; n++) await w.change("ann");
    expect((await seen).map(told)).toEqual(Array.from({ length: 500 }, (_, n) => `ann@${n + 1}`));
    expect(told(await slow.next())).toBe("ann@1");
  });
});
