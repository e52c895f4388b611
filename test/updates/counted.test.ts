import { expect, test } from "vitest";
import { settle } from "../helpers/manual-clock.ts";
import { ANN, told, watch } from "./watching.ts";
import { world } from "./world.ts";

test("what was read, how old it was, what was folded and who was told of a gap is counted", async () => {
  const w = world({ waiting: 8 });
  const folding = watch(w, ANN, { mode: "LATEST" });
  const strict = watch(w, ANN);
  for (const { next } of [folding, strict]) expect(told(await next())).toBe("snapshot ");
  const first = [folding.next(), strict.next()];
  const slow = w.save("ann");
  await w.clock.advance(2_000);
  await w.stream.publish([slow]);
  expect((await Promise.all(first)).map(told)).toEqual(["ann@1", "ann@1"]);
  for (let more = 0; more < 12; more += 1) await w.change("ann");
  await settle(50);
  expect(told(await folding.next())).toBe("ann@13");
  expect(told(await strict.next())).toMatch(/^gap SLOW_CONSUMER/);
  expect(w.metrics.counts).toEqual({
    updates_read_total: 13,
    coalesced_total: 11,
    "gaps_total SLOW_CONSUMER": 1,
  });
  expect(w.metrics.observed["lag_seconds sent"]?.[0]).toBe(2);
  await w.close();
});
