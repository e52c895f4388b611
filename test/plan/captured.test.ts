import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { SourceRecord } from "../../src/cdc/change.ts";
import { check } from "../../src/cdc/check.ts";
import { createDecoder } from "../../src/cdc/decode.ts";
import { apply } from "../../src/customer/apply.ts";
import { newCustomer } from "../../src/customer/customer.ts";
import type { Customer } from "../../src/customer/customer.ts";
import { loadPlan } from "../../src/plan/load.ts";
import { inspectSample } from "../../src/plan/sample/sample.ts";

/** As the fixtures hold them. */
interface Captured {
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
  readonly timestamp: string;
  readonly key: string | null;
  readonly value: string | null;
}

function captured(name: string): readonly SourceRecord[] {
  const lines = readFileSync(`test/fixtures/debezium/postgres-${name}.ndjson`, "utf8").trim().split("\n");
  return lines.map((line) => {
    const { topic, partition, offset, timestamp, key, value } = JSON.parse(line) as Captured;
    const bytes = (text: string | null): Uint8Array | null => (text === null ? null : Buffer.from(text));
    return {
      topic,
      partition,
      offset,
      timestampMs: Number(timestamp),
      key: bytes(key),
      value: bytes(value),
      headers: {},
    };
  });
}

const planOf = (name: string) =>
  loadPlan(readFileSync(`test/fixtures/captured-${name}.yaml`, "utf8"), `${name}.yaml`);

/** A customer's document after the records, in the given order; all tables are inline and every row names its customer. */
function documents(name: string, records: readonly SourceRecord[]): ReadonlyMap<string, Customer> {
  const plan = planOf(name);
  const decode = createDecoder(plan.tables);
  const customers = new Map<string, Customer>();
  for (const record of records) {
    const decoded = decode(record);
    expect(decoded.kind).not.toBe("refused");
    if (decoded.kind !== "change") continue;
    expect(check(decoded.change, decoded.table).kind).toBe("kept");
    const id = decoded.change.customerId ?? "";
    const customer = customers.get(id) ?? newCustomer(id);
    const input = { customer, pages: [], changes: [decoded.change], truncates: {}, nowMs: 0 };
    customers.set(id, apply(input, plan).customer);
  }
  return customers;
}

test.each(["plain", "schema"])("the %s records give what the tables held, forwards and backwards", (name) => {
  const records = captured(name);
  for (const order of [records, records.toReversed()]) {
    const customers = documents(name, order);
    const rows = (id: string, table: string): unknown[] =>
      Object.values(customers.get(id)?.tables[table] ?? {}).flatMap(({ live, values }) =>
        live ? [values] : [],
      );
    expect(rows("1", "customers")).toMatchObject([
      {
        id: "1",
        email: "ann2@example.com",
        name: "Ann Ünïcode 😀",
        balance: "1234.5679",
        big_num: "123456789012345678901234567890.123456789",
        created_at: "2024-02-29T21:59:59.123456Z",
        local_ts: "2024-03-31T02:30:00.000001Z",
        birth: "1969-12-31",
        t: "23:59:59.999999",
        notes: "changed".repeat(4000),
        tags: ["a", "b", null],
        raw: "3q2+7w==",
        rate: "NaN",
        money_col: "12.34",
      },
    ]);
    expect(rows("9007199254740993", "customers")).toMatchObject([
      { balance: "-0.0001", created_at: "infinity", birth: "infinity" },
    ]);
    for (const gone of ["10", "11", "500"]) expect(rows(gone, "customers")).toEqual([]);
    const balances = rows("1", "accounts").map((row) => (row as { balance: string }).balance);
    expect(balances.toSorted()).toEqual(["0.0000000001", "99999999999999999999999998.9999999999"]);
    expect(customers.get("1")?.metrics).toEqual({
      accountCount: 2,
      accountsBalance: "99999999999999999999999999.0000000000",
    });
  }
});

test.each(["plain", "schema"])("the %s records are a sound sample of their pipeline", (name) => {
  const warnings = inspectSample(planOf(name), captured(name)).filter(({ code }) => code !== "unread-topic");
  expect(warnings).toEqual([]);
});
