import fc from "fast-check";
import type { SourceRecord } from "../../src/cdc/change.ts";
import { record, type Sent } from "./world.ts";

/** One version of a row, before it has a place in the order. */
interface Version {
  readonly table: "accounts" | "payments";
  readonly id: number;
  readonly customer: string;
  readonly amount: number;
  readonly month: number;
  /** `partial`: an unchanged large column was left out. `nameless`: a delete that tells only its key. */
  readonly kind: "whole" | "partial" | "delete" | "nameless";
  /** True: claims the position of the version before it. */
  readonly tied: boolean;
}

const LEFT_OUT = "__debezium_unavailable_value";

const version: fc.Arbitrary<Version> = fc.record({
  table: fc.constantFrom("accounts", "payments"),
  id: fc.integer({ min: 1, max: 2 }),
  customer: fc.constantFrom("a", "b", "c"),
  amount: fc.integer({ min: 1, max: 9 }),
  month: fc.integer({ min: 0, max: 1 }),
  kind: fc.constantFrom("whole", "whole", "whole", "partial", "partial", "delete", "nameless"),
  tied: fc.boolean(),
});

/** A history as records in the order of its positions, each with its coordinates. */
export interface History {
  readonly records: readonly SourceRecord[];
}

/** Histories of a few rows that wander between customers and pages. `whole`: no change leaves a column out. */
export function histories(options: {
  readonly ties: boolean;
  readonly whole?: boolean;
}): fc.Arbitrary<History> {
  const one = options.whole === true ? version.filter(({ kind }) => kind !== "partial") : version;
  return fc.array(one, { minLength: 1, maxLength: 8 }).map((versions) => {
    let lsn = 0;
    return {
      records: versions.map((one, index) => {
        const isTied =
          options.ties && one.tied && one.kind !== "nameless" && one.kind !== "delete" && lsn > 0;
        lsn += isTied ? 0 : 10;
        return record(sent(one, lsn), index);
      }),
    };
  });
}

function sent({ table, id, customer, amount, month, kind }: Version, lsn: number): Sent {
  if (kind === "nameless") return { table, op: "d", lsn, row: { id } };
  const note = kind === "partial" ? LEFT_OUT : `note ${amount}`;
  const own = table === "accounts" ? { balance: amount } : { amount, posted_on: 19_723 + 31 * month };
  return { table, op: kind === "delete" ? "d" : "u", lsn, row: { id, customer_id: customer, ...own, note } };
}

/** Any order of the records, some of them more than once. */
export function arrivals({ records }: History): fc.Arbitrary<readonly SourceRecord[]> {
  return fc.array(fc.nat({ max: Math.max(0, records.length - 1) }), { maxLength: 3 }).chain((repeats) => {
    const all = [...records, ...repeats.flatMap((at) => records[at] ?? [])];
    return fc.shuffledSubarray(all, { minLength: all.length, maxLength: all.length });
  });
}
