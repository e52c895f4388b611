import { describe, expect, test } from "vitest";
import { createCounted } from "../../../src/ingest/remembered/counted.ts";
import { createPipeline } from "../../../src/ingest/pipeline.ts";
import { silentLog } from "../../../src/log.ts";
import { EMPTY_SAVE, type Tally } from "../../../src/store/store.ts";
import { Customer360Error } from "../../../src/errors.ts";
import { counting } from "../../helpers/counting.ts";
import { manualClock } from "../../helpers/manual-clock.ts";
import { memorySource, textRecord } from "../../helpers/memory-source.ts";
import { memoryStore } from "../../helpers/memory-store.ts";
import { memoryUpdates } from "../../helpers/memory-updates.ts";
import { line, record, world } from "../world.ts";

const sent = (lsn: number, customer = "7") =>
  record({ table: "accounts", op: "u", lsn, row: { id: 1, customer_id: customer, balance: lsn } }, lsn);

async function ingested(records: Parameters<typeof memorySource>[0]["records"], failing = 0) {
  const metrics = counting();
  const clock = manualClock();
  const store = memoryStore();
  let failures = failing;
  const save: typeof store.save = (saving) => {
    failures -= 1;
    if (failures >= 0) throw new Customer360Error("STORE_UNAVAILABLE", "away");
    return store.save(saving);
  };
  const done = createPipeline({
    ...{
      plan: world,
      source: memorySource({ records }),
      store: { ...store, save },
      updates: memoryUpdates(),
    },
    ...{ clock, log: silentLog, metrics },
  }).run(new AbortController().signal);
  let isDone = false;
  void done.finally(() => (isDone = true)).catch(() => {});
  while (!isDone) await clock.advance(100);
  await done;
  return metrics;
}

describe("what a pipeline counts", () => {
  test("every record received is a verdict, a skip, a violated rule or in quarantine", async () => {
    const records = [sent(1), sent(3), sent(2), sent(3), line("7", 2_000, 0), line("nobody", 4, 1)];
    const { counts } = await ingested([
      ...records,
      textRecord({ topic: "profile", partition: 0, offset: 0 }, "{"),
    ]);
    expect(counts).toMatchObject({
      records_total: 7,
      "verdicts_total accounts applied": 2,
      "verdicts_total accounts late": 1,
      "verdicts_total accounts duplicate": 1,
      "rules_total ledger quarantine:small": 1,
      "rules_total ledger drop:known": 1,
      "quarantined_total ledger expectation": 1,
      "quarantined_total profile unreadable": 1,
    });
    expect(counts["record_bytes_total"]).toBeGreaterThan(300);
    expect(counts["saved_customers_total"]).toBeGreaterThan(0);
  });

  test("an outage is counted for each attempt it cost, under what was away", async () => {
    const { counts } = await ingested([sent(1)], 3);
    expect(counts["retries_total store"]).toBe(3);
    expect(counts["verdicts_total accounts applied"]).toBe(1);
  });

  test("the age of a batch is told by every clock its record shows", async () => {
    const { observed } = await ingested([sent(1)]);
    expect(Object.keys(observed).sort()).toEqual(
      ["applied", "broker", "connector", "source"].map((clock) => `lag_seconds ${clock}`),
    );
  });

  test("a verdict that is taken back is not counted twice, and no counter goes down", () => {
    const metrics = counting();
    const counted = createCounted(metrics, manualClock());
    const saved = (count: number) => {
      const tallies: readonly Tally[] = [{ table: "accounts", kind: "verdict", label: "applied", count }];
      counted.saved({ ...EMPTY_SAVE, tallies }, { conflicts: new Set() });
    };
    saved(5);
    saved(-3);
    saved(2);
    saved(4);
    expect(metrics.counts).toEqual({ "verdicts_total accounts applied": 8 });
  });
});
