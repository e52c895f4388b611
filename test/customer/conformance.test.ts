import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Change, Values } from "../../src/cdc/change.ts";
import { epochText, integerComponent, positionOf } from "../../src/cdc/positions/sequence.ts";
import { apply } from "../../src/customer/apply.ts";
import { newCustomer } from "../../src/customer/customer.ts";
import type { Plan } from "../../src/customer/plan.ts";
import { change, CUSTOMER } from "../helpers/history.ts";
import { table } from "../helpers/history-plan.ts";

/** One change of a case; `seq` is one integer or several, compared one after the other. */
interface CaseChange {
  readonly key?: string | number;
  readonly seq: number | readonly number[];
  readonly set?: Values;
  readonly delete?: true;
  readonly truncate?: true;
  readonly partial?: true;
  readonly snapshot?: true;
  readonly partition?: number;
  readonly table?: string;
}

interface Case {
  readonly about: string;
  readonly changes: readonly CaseChange[];
  /** Live rows by key, or `table/key`; `conflict`: whether one is told, in any order. */
  readonly expect: { readonly rows: Readonly<Record<string, Values>>; readonly conflict?: boolean };
}

const ORDERS = 1000;
const folder = join(import.meta.dirname, "../fixtures/conformance");
const plan: Plan = {
  name: "conformance",
  description: "",
  version: "1",
  tables: ["rows", "patterns", "accounts"].map((name) => table(name)),
  metrics: [],
  segments: [],
  offers: [],
};

function changeOf(given: CaseChange, index: number): Change {
  const components = [given.seq].flat().map((part) => integerComponent(String(part)));
  const name = given.table ?? "rows";
  return change({
    table: name,
    op: given.truncate ? "truncate" : given.delete ? "delete" : "upsert",
    key: given.key === undefined ? "" : String(given.key),
    position: positionOf(epochText(0), components.join(""), given.snapshot === true),
    set: given.set ?? {},
    partial: given.partial === true,
    origin: { topic: name, partition: given.partition ?? 0, offset: String(index + 9) },
  });
}

/** Every order of few changes, a thousand of many; the same ones in every run. */
function ordersOf(changes: readonly Change[]): readonly (readonly Change[])[] {
  if (changes.length > 6) return Array.from({ length: ORDERS }, (_, seed) => shuffled(changes, seed + 1));
  if (changes.length < 2) return [changes];
  return changes.flatMap((first, index) =>
    ordersOf(changes.toSpliced(index, 1)).map((rest) => [first, ...rest]),
  );
}

function shuffled(changes: readonly Change[], seed: number): readonly Change[] {
  const order = [...changes];
  let state = seed;
  for (let last = order.length - 1; last > 0; last--) {
    state = (state * 48271) % 2147483647;
    const other = state % (last + 1);
    const [a, b] = [order[last], order[other]];
    if (a !== undefined && b !== undefined) [order[last], order[other]] = [b, a];
  }
  return order;
}

function outcome(batches: readonly (readonly Change[])[]): Case["expect"] {
  let customer = newCustomer(CUSTOMER);
  let conflict = false;
  let truncates: Record<string, string> = {};
  for (const changes of batches) {
    const applied = apply({ customer, pages: [], changes, truncates, nowMs: 1 }, plan);
    customer = applied.customer;
    conflict ||= applied.judged.some((judged) => judged.conflict);
    const swept = changes.filter(({ op }) => op === "truncate");
    truncates = { ...truncates, ...Object.fromEntries(swept.map((one) => [one.table, one.position])) };
  }
  const rows: Record<string, Values> = {};
  for (const [name, held] of Object.entries(customer.tables)) {
    for (const [key, row] of Object.entries(held)) {
      if (row.live) rows[name === "rows" ? key : `${name}/${key}`] = row.values;
    }
  }
  return { rows, conflict };
}

describe("conformance", () => {
  for (const file of readdirSync(folder).sort()) {
    const { about, changes, expect: expected } = JSON.parse(readFileSync(join(folder, file), "utf8")) as Case;
    const orders = ordersOf(changes.map(changeOf));
    const wanted = { conflict: expected.conflict ?? false, rows: expected.rows };

    test(`${file}: ${about} (${orders.length} orders)`, () => {
      for (const order of orders) {
        expect(outcome(order.map((one) => [one]))).toEqual(wanted);
        expect(outcome([order])).toEqual(wanted);
        expect(outcome([order, order.toReversed()])).toEqual(wanted);
      }
    });
  }
});
