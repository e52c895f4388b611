import type { SourceRecord } from "../cdc/change.ts";
import type { Plan } from "../customer/plan.ts";
import { compare, inWords, steady } from "./measure.ts";
import type { Side } from "./measure.ts";
import { MemoryIngest } from "./memory-ingest.ts";
import { benchRecords } from "./records.ts";
import type { Measure } from "./report.ts";

const SHAPE = { seed: 7, customers: 5_000, count: 20_000 };

/** Ingest against JSON.parse of the same bytes; with and without the embedded schema; repeats against first arrivals. */
export async function ingestMeasures(plan: Plan): Promise<readonly Measure[]> {
  const plain = benchRecords({ ...SHAPE, schema: false });
  const embedded = benchRecords({ ...SHAPE, schema: true });
  const ingest = (records: readonly SourceRecord[]) =>
    steady({ run: () => new MemoryIngest(plan).run(records) });
  const repeats = repeatsOf(plan, plain);
  const parse = await compare(ingest(plain), steady({ run: () => parseAll(plain) }));
  const schema = await compare(ingest(embedded), ingest(plain));
  const duplicate = await compare(repeats.again, repeats.first);
  return [
    {
      name: "ingest against JSON.parse of the same bytes, changes per second",
      value: parse.rateRatio,
      unit: "ratio",
      better: "higher",
      firstStep: 0.4,
      goal: 1,
      note: inWords(parse, "a record"),
    },
    {
      name: "schema-embedded against schema-less, changes per second",
      value: schema.rateRatio,
      unit: "ratio",
      better: "higher",
      firstStep: 0.5,
      goal: 0.8,
      note: inWords(schema, "a record"),
    },
    {
      name: "a duplicate against an applied change, CPU",
      value: duplicate.cpuRatio,
      unit: "ratio",
      better: "lower",
      firstStep: 0.6,
      goal: 0.35,
      note: inWords(duplicate, "a record"),
    },
  ];
}

/** Sides that apply every record for the first time, and then again to the same documents. */
function repeatsOf(plan: Plan, records: readonly SourceRecord[]): { first: Side; again: Side } {
  let known = new MemoryIngest(plan);
  known.run(records);
  return {
    first: steady({
      run: () => {
        known = new MemoryIngest(plan);
        return known.run(records);
      },
    }),
    again: steady({
      run: () => {
        const before = known.applied;
        const count = known.run(records);
        if (known.applied !== before) throw new Error("a repeat was applied");
        return count;
      },
    }),
  };
}

/** Parses every value that is there; a tombstone counts as a record. */
function parseAll(records: readonly SourceRecord[]): number {
  let objects = 0;
  for (const { value } of records) {
    if (value === null) continue;
    const parsed: unknown = JSON.parse(
      Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString(),
    );
    if (typeof parsed === "object") objects += 1;
  }
  if (objects === 0) throw new Error("nothing was parsed");
  return records.length;
}
