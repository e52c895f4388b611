import fc from "fast-check";
import { expect, test } from "vitest";
import { createAcknowledgements } from "../../../src/ingest/remembered/acknowledgements.ts";
import type { Checkpoint, SourceBatch } from "../../../src/ingest/source.ts";

const batch = (partition: number, nextOffset: number): SourceBatch => ({
  topic: "t",
  partition,
  records: [],
  nextOffset: String(nextOffset),
  bytes: 0,
});

test("a batch that is done early does not vouch for those before it", async () => {
  const committed: Checkpoint[] = [];
  const acknowledgements = createAcknowledgements(async (checkpoints) => void committed.push(...checkpoints));
  const [first, second, third] = [batch(0, 10), batch(0, 20), batch(0, 30)] as const;
  for (const one of [first, second, third]) acknowledgements.track(one);
  acknowledgements.done(second);
  expect(acknowledgements.ready()).toEqual([]);
  acknowledgements.done(first);
  expect(acknowledgements.ready()).toEqual([{ topic: "t", partition: 0, nextOffset: "20" }]);
  await acknowledgements.stored(acknowledgements.ready());
  expect(acknowledgements.ready()).toEqual([]);
  acknowledgements.done(third);
  await acknowledgements.stored(acknowledgements.ready());
  expect(committed.map(({ nextOffset }) => nextOffset)).toEqual(["20", "30"]);
});

test("a checkpoint that moved on while it was being stored stays ready", async () => {
  const acknowledgements = createAcknowledgements(async () => {});
  const [first, second] = [batch(0, 10), batch(0, 20)];
  if (first === undefined || second === undefined) throw new Error("two batches");
  acknowledgements.track(first);
  acknowledgements.track(second);
  acknowledgements.done(first);
  const storing = acknowledgements.ready();
  acknowledgements.done(second);
  await acknowledgements.stored(storing);
  expect(acknowledgements.ready().map(({ nextOffset }) => nextOffset)).toEqual(["20"]);
});

test("whatever the order batches finish in, what is ready is the contiguous done prefix of each partition", () => {
  const steps = fc.array(fc.record({ partition: fc.nat({ max: 2 }), pick: fc.nat() }), { maxLength: 30 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 6 }), steps, (count, finished) => {
      const acknowledgements = createAcknowledgements(async () => {});
      const batches = [0, 1, 2].map((partition) =>
        Array.from({ length: count }, (_, at) => batch(partition, (at + 1) * 10)),
      );
      for (const one of batches.flat()) acknowledgements.track(one);
      const done = new Set<SourceBatch>();
      for (const { partition, pick } of finished) {
        const open = (batches[partition] ?? []).filter((one) => !done.has(one));
        const one = open[pick % Math.max(1, open.length)];
        if (one === undefined) continue;
        done.add(one);
        acknowledgements.done(one);
      }
      const expected = batches.flatMap((ofPartition) => {
        const prefix = ofPartition.slice(0, ofPartition.findIndex((one) => !done.has(one)) >>> 0);
        const last = prefix.at(-1);
        return last === undefined ? [] : [`${last.partition}:${last.nextOffset}`];
      });
      expect(
        acknowledgements
          .ready()
          .map(({ partition, nextOffset }) => `${partition}:${nextOffset}`)
          .sort(),
      ).toEqual(expected);
    }),
  );
});
