import { join } from "node:path";
import type { SourceRecord } from "../cdc/change.ts";
import { systemClock } from "../clock.ts";
import type { Plan } from "../customer/plan.ts";
import { createPipeline } from "../ingest/pipeline.ts";
import { silentLog } from "../log.ts";
import { sqliteStore } from "../store/sqlite/store.ts";
import { localUpdates } from "../updates/local/updates.ts";
import type { Updates } from "../updates/updates.ts";
import { arraySource } from "./array-source.ts";
import { compare, inWords, steady } from "./measure.ts";
import { MemoryIngest } from "./memory-ingest.ts";
import { benchRecords } from "./records.ts";
import type { Measure } from "./report.ts";
import { scratchFolder } from "./scratch.ts";

/** The embedded adapters in a folder of their own. */
export interface DurableParts {
  readonly store: ReturnType<typeof sqliteStore>;
  readonly updates: Updates;
  /** Closes both and removes the folder. */
  close(): Promise<void>;
}

/** Opens store and update stream in one file, as the product does, in a temporary folder. */
export function openDurable(plan: Plan): DurableParts {
  const scratch = scratchFolder();
  const path = join(scratch.path, "store.db");
  const store = sqliteStore({ path, plan });
  const updates = localUpdates({ path, clock: systemClock });
  return {
    store,
    updates,
    async close() {
      await updates.close();
      await store.close();
      scratch.remove();
    },
  };
}

/** Records to run through the whole path. */
export interface DurableRun {
  readonly plan: Plan;
  readonly records: readonly SourceRecord[];
  /** Records in a batch; default 1,000. */
  readonly batchSize?: number;
}

/** Runs records through the whole path: save, outgoing updates, checkpoints. Answers how many there were. */
export async function ingestDurably(
  { store, updates }: Pick<DurableParts, "store" | "updates">,
  { plan, records, batchSize = 1_000 }: DurableRun,
): Promise<number> {
  const source = arraySource(records, batchSize);
  source.end();
  const pipeline = createPipeline({ plan, source, store, updates, clock: systemClock, log: silentLog });
  await pipeline.run(new AbortController().signal);
  return records.length;
}

/** Durable ingest against the pure path in memory, on the same records. */
export async function durableMeasures(plan: Plan): Promise<readonly Measure[]> {
  const records = benchRecords({ seed: 7, customers: 5_000, count: 20_000, schema: false });
  const run = async () => {
    const parts = openDurable(plan);
    const count = await ingestDurably(parts, { plan, records });
    await parts.close();
    return count;
  };
  const inMemory = () => new MemoryIngest(plan).run(records);
  const found = await compare(steady({ run }), steady({ run: inMemory }), 3);
  return [
    {
      name: "durable ingest against in-memory ingest, changes per second",
      value: found.rateRatio,
      unit: "ratio",
      better: "higher",
      firstStep: 0.25,
      goal: 0.5,
      note: inWords(found, "a record"),
    },
  ];
}
