import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { createPipeline } from "../../src/ingest/pipeline.ts";
import type { SourceBatch } from "../../src/ingest/source.ts";
import { silentLog } from "../../src/log.ts";
import { manualClock } from "../helpers/manual-clock.ts";
import { memorySource } from "../helpers/memory-source.ts";
import { memoryStore } from "../helpers/memory-store.ts";
import { memoryUpdates } from "../helpers/memory-updates.ts";
import { record, world } from "./world.ts";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

test("nothing keeps a batch that is done with while the next one is waited for", async () => {
  const made: WeakRef<SourceBatch>[] = [];
  const source = memorySource(
    { records: [record({ table: "profile", op: "u", lsn: 1, row: { customer_id: "ann", tickets: 1 } }, 1)] },
    { follow: true },
  );
  const stop = new AbortController();
  const clock = manualClock();
  const store = memoryStore();
  const done = createPipeline({
    ...{ plan: world, store, updates: memoryUpdates(), clock, log: silentLog },
    source: {
      ...source,
      next: async (signal) => {
        const batches = await source.next(signal);
        const copies = batches?.map((batch) => ({ ...batch })) ?? null;
        for (const copy of copies ?? []) made.push(new WeakRef(copy));
        return copies;
      },
    },
  }).run(stop.signal);
  await clock.asleep();
  await clock.advance(200);
  expect(await store.checkpoints()).toHaveLength(1);
  await expect
    .poll(() => {
      collectGarbage();
      return made.map((batch) => batch.deref());
    })
    .toEqual([undefined]);
  stop.abort();
  await done;
});
