import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { demoSource } from "../../src/demo/demo-source.ts";
import type { Source, SourceBatch } from "../../src/ingest/source.ts";
import { manualClock, type ManualClock } from "../helpers/manual-clock.ts";

let directory: string;
let clock: ManualClock;
const running = new AbortController().signal;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "demo-"));
  clock = manualClock();
});
afterEach(() => rmSync(directory, { recursive: true }));

const open = (rate = 50, customers = 20): Source =>
  demoSource({ path: join(directory, "bank.json"), seed: 3, customers, rate, clock });

/** Takes what is due now. */
async function due(source: Source): Promise<readonly SourceBatch[]> {
  const batches: SourceBatch[] = [];
  while ((await source.lag()).some(({ behind }) => behind !== "0")) {
    batches.push(...((await source.next(running)) ?? []));
  }
  return batches;
}

const texts = (batches: readonly SourceBatch[]) =>
  batches
    .flatMap(({ records }) => records)
    .map(({ topic, offset, timestampMs, value }) => [topic, offset, timestampMs, String(value)]);
const end = (batches: readonly SourceBatch[]) => Number(batches.at(-1)?.nextOffset);

describe("the demo source", () => {
  test("the snapshot comes at once, life at the pace of the clock", async () => {
    const source = open();
    await source.start(async () => []);
    expect(end(await due(source))).toBe(21);
    await clock.advance(1_000);
    expect(await source.lag()).toEqual([{ topic: "demo:bank", partition: 0, behind: "50" }]);
    expect(end(await due(source))).toBe(71);
  });

  test("what was not acknowledged comes again after a restart, byte for byte", async () => {
    const first = open();
    await first.start(async () => []);
    await due(first);
    await clock.advance(2_000);
    const delivered = await due(first);
    await first.close();

    await clock.advance(86_400_000);
    const second = open(10);
    await second.start(async () => [{ topic: "demo:bank", partition: 0, nextOffset: "21" }]);
    const again = await due(second);
    expect(texts(again).slice(0, texts(delivered).length)).toEqual(texts(delivered));
    expect(end(again)).toBeGreaterThanOrEqual(end(delivered));
  });

  test("life after a restart has the time of day, at the new rate", async () => {
    const first = open();
    await first.start(async () => []);
    await due(first);
    await clock.advance(1_000);
    const before = end(await due(first));
    await first.close();
    await clock.advance(3_600_000);
    const second = open(10);
    await second.start(async () => [{ topic: "demo:bank", partition: 0, nextOffset: String(before) }]);
    await due(second);
    await clock.advance(1_000);
    const [batch] = await due(second);
    expect(batch?.records[0]?.timestampMs).toBeGreaterThan(clock.nowMs() - 1_000);
    expect(Number((await second.lag())[0]?.behind)).toBe(0);
    await clock.advance(10_000);
    expect((await second.lag())[0]?.behind).toBe("100");
  });

  test("source times never run ahead of the clock, not even after quick restarts", async () => {
    let from = "0";
    for (let life = 0; life < 5; life++) {
      const source = open();
      await source.start(async () => [{ topic: "demo:bank", partition: 0, nextOffset: from }]);
      await clock.advance(700);
      for (const batch of await due(source)) {
        from = batch.nextOffset;
        for (const { timestampMs } of batch.records) expect(timestampMs).toBeLessThanOrEqual(clock.nowMs());
      }
      await source.close();
    }
  });

  test("another bank in the same place is refused", async () => {
    await open().start(async () => []);
    expect(() => open(50, 21)).toThrow(
      "the data directory holds a bank of 20 customers with seed 3, not 21 with seed 3",
    );
  });

  test("closing ends a call of next that waits", async () => {
    const source = open();
    await source.start(async () => []);
    await due(source);
    const waiting = source.next(running);
    await clock.asleep();
    await source.close();
    await source.close();
    expect(await waiting).toBeNull();
  });
});
