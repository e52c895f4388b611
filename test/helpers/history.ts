import fc from "fast-check";
import type { Change, Op, Values } from "../../src/cdc/change.ts";

/** One customer's changes in the order its sources made them: every one with its own coordinates. */
export type History = readonly Change[];

/** How a history reaches the product: its changes in any order, some again, in batches. */
export type Arrival = readonly (readonly Change[])[];

export const CUSTOMER = "c1";

/** A whole upsert, unless told otherwise. */
export function change(given: Partial<Change> & Pick<Change, "table">): Change {
  return {
    op: "upsert",
    key: '["1"]',
    customerId: CUSTOMER,
    page: null,
    position: "p1",
    set: {},
    partial: false,
    origin: { topic: given.table, partition: 0, offset: "0" },
    sourceMs: null,
    ingestedMs: 1,
    ...given,
  };
}

const profile = fc.record({
  tickets: fc.constantFrom(null, 1, 3, 7),
  name: fc.constantFrom("ann", "bob"),
  seen: fc.constantFrom("2024-01-01T00:00:00Z", "2024-03-01T00:00:00Z", "2024-02-01T00:00:00Z"),
});
const account = fc.record({
  balance: fc.constantFrom("10.00", "-3.50", "99999999999999.99", "0.01"),
  kind: fc.constantFrom("current", "savings"),
});
const payment = fc.record({
  amount: fc.constantFrom(null, "1.10", "2.25", "-0.40", "3.00"),
  category: fc.constantFrom("food", "travel"),
  posted: fc.constant("2024-05-01T00:00:00Z"),
});

interface Stroke {
  readonly table: string;
  readonly row: number;
  readonly op: Op;
  readonly seq: number;
  readonly partition: number;
  readonly values: Values;
  /** Columns the change leaves out; all of them kept for 0. */
  readonly omitted: number;
}

const table = fc.oneof(
  fc.record({ table: fc.constant("profile"), values: profile }),
  fc.record({ table: fc.constant("accounts"), values: account }),
  fc.record({ table: fc.constant("payments"), values: payment }),
);

const stroke: fc.Arbitrary<Stroke> = fc
  .tuple(
    table,
    fc.nat(1),
    fc.constantFrom<Op>("upsert", "upsert", "upsert", "upsert", "delete", "delete", "truncate"),
    fc.nat(5),
    fc.nat(1),
    fc.constantFrom(0, 0, 1, 2, 4, 3, 5, 6),
  )
  .map(([{ table, values }, row, op, seq, partition, omitted]) => {
    return { table, values, row, op, seq, partition, omitted };
  });

/** Rows stay on their page: a row that moves comes as the delete and the insert that routing makes of it. */
function pageOf({ table, row }: Stroke): string | null {
  return table === "payments" ? `2024-0${row + 1}` : null;
}

function changeOf(made: Stroke, index: number): Change {
  const { table, op, seq, partition, omitted } = made;
  const isTruncate = op === "truncate";
  const columns = Object.entries(made.values).filter((_, column) => (omitted & (1 << column)) === 0);
  return change({
    table,
    op,
    key: isTruncate ? "" : table === "profile" ? `["${CUSTOMER}"]` : `["${made.row}"]`,
    page: isTruncate ? null : pageOf(made),
    position: `p${seq}`,
    set: op === "upsert" ? Object.fromEntries(columns) : {},
    partial: op === "upsert" && columns.length < Object.keys(made.values).length,
    origin: { topic: table, partition, offset: String(index + 7) },
    sourceMs: 1000 + seq,
    ingestedMs: 2000 + index,
  });
}

/** Short histories over few rows and few positions, so that every kind of collision is common. */
export const histories: fc.Arbitrary<History> = fc
  .array(stroke, { minLength: 1, maxLength: 10 })
  .map((strokes) => strokes.map(changeOf))
  .filter((history) => history.some(({ op }) => op !== "truncate"));

/** Seeds an arrival order; small numbers, so that it shrinks. */
export const shuffles = fc.array(fc.nat(0xffff), { minLength: 12, maxLength: 12 });

/** The history in another order, with repetitions, cut into batches: all told by the numbers given. */
export function arrival(history: History, numbers: readonly number[]): Arrival {
  const number = (index: number): number => numbers[index % numbers.length] ?? 0;
  const repeats = history.filter((_, index) => number(index + 3) % 4 === 0);
  const order = [...history, ...repeats]
    .map((change, index) => ({ change, rank: (number(index) * (index + 1)) % 251 }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ change }) => change);
  const batches: Change[][] = [[]];
  for (const [index, change] of order.entries()) {
    if (number(index + 5) % 3 === 0) batches.push([]);
    batches.at(-1)?.push(change);
  }
  return batches.filter((batch) => batch.length > 0);
}
