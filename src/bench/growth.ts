import type { SourceRecord } from "../cdc/change.ts";
import type { Plan } from "../customer/plan.ts";
import { ingestDurably, openDurable } from "./durable.ts";
import { compare, inWords } from "./measure.ts";
import type { Side } from "./measure.ts";
import type { Measure } from "./report.ts";

const MONTH_MS = 30 * 86_400_000;
const MONTHS = 60;
const START_MS = Date.UTC(2020, 0, 1);
const LARGE = { customer: 1, rows: 100_000, firstId: 1 };
const SMALL = { customer: 2, rows: 10, firstId: 1_000_000 };
/** Changes of one run, and of one batch; each change of a batch is on a page of its own. */
const CHANGES = 500;
const BATCH = 10;

type Holder = typeof LARGE;

/** Row number `index` of a customer, as written for the `version`th time. */
function payment({ customer, firstId }: Holder, index: number, version: number): SourceRecord {
  const id = firstId + index;
  const postedMs = START_MS + (index % MONTHS) * MONTH_MS + index;
  const row = {
    id,
    customer_id: customer,
    amount: `${12 + (version % 50)}.50`,
    category: "dining",
    merchant: "Merchant",
    terminal: "T-1",
    reference: "card payment",
    online: false,
    posted_at: new Date(postedMs).toISOString(),
  };
  const value = {
    before: null,
    after: row,
    source: { lsn: 1_000 + version, ts_ms: START_MS, snapshot: "false" },
    op: version === 0 ? "c" : "u",
    ts_ms: START_MS,
  };
  return {
    topic: "bench.public.payments",
    partition: 0,
    offset: `${version}${String(id).padStart(8, "0")}`,
    timestampMs: START_MS,
    key: Buffer.from(`{"id":${id}}`),
    value: Buffer.from(JSON.stringify(value)),
    headers: {},
  };
}

/**
 * What a change costs a customer with 100,000 rows, against one with ten. Both get updates of rows they have, so they stay
 * as large as they are; batches of ten, each on ten different pages.
 */
export async function growthMeasures(plan: Plan): Promise<readonly Measure[]> {
  const parts = openDurable(plan);
  let version = 0;
  for (const holder of [LARGE, SMALL]) {
    const records = Array.from({ length: holder.rows }, (_, index) => payment(holder, index, 0));
    await ingestDurably(parts, { plan, records });
  }
  const side = (holder: Holder): Side => ({
    run: () => {
      const records = Array.from({ length: CHANGES }, (_, index) => {
        version += 1;
        const group = (version * 7) % Math.max(1, Math.floor(holder.rows / MONTHS));
        return payment(holder, group * MONTHS + (index % BATCH), version);
      });
      return ingestDurably(parts, { plan, records, batchSize: BATCH });
    },
  });
  const found = await compare(side(LARGE), side(SMALL));
  await parts.close();
  return [
    {
      name: "a change at 100,000 rows of a customer against 10 rows, CPU",
      value: found.cpuRatio,
      unit: "ratio",
      better: "lower",
      firstStep: 1.5,
      goal: 1.2,
      note: `${inWords(found, "a change")}; durable, ${BATCH} changes a batch`,
    },
  ];
}
