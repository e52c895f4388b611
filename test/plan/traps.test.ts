import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { SourceRecord } from "../../src/cdc/change.ts";
import { check } from "../../src/cdc/check.ts";
import { createDecoder } from "../../src/cdc/decode.ts";
import { apply } from "../../src/customer/apply.ts";
import { newCustomer } from "../../src/customer/customer.ts";
import type { Customer, Page } from "../../src/customer/customer.ts";
import { loadPlan } from "../../src/plan/load.ts";

/**
 * The reference's two topics exactly as its notebooks make them, through the shipped pipeline: each trap of the original is
 * a test here. Its data model says `MicroTimestamp` for milliseconds, `int32` for a text, and nothing about the rest.
 */
const plan = loadPlan(readFileSync("pipelines/banking.yaml", "utf8"), "banking.yaml");
const DAY = 86_400_000;
const START = Date.UTC(2022, 0, 1);
const SCHEMA = {
  type: "struct",
  name: "claim.Value",
  fields: [
    {
      type: "struct",
      optional: true,
      field: "after",
      fields: [
        { type: "date", optional: true, field: "date" },
        { type: "int32", optional: true, field: "number_of_dr_visits" },
        { type: "int32", optional: false, field: "customer_id" },
        {
          type: "int64",
          optional: true,
          name: "io.debezium.time.MicroTimestamp",
          version: 1,
          field: "datetime_created",
        },
        {
          type: "int64",
          optional: true,
          name: "io.debezium.time.MicroTimestamp",
          version: 1,
          field: "datetime_updated",
        },
      ],
    },
  ],
};

interface Trend {
  readonly customer?: string | null;
  readonly day: number;
  readonly concerts?: number;
  readonly online?: number | null;
  readonly op?: string;
  readonly mortgage?: number;
}

let offset = 0;

function record(topic: string, value: unknown): SourceRecord {
  offset += 1;
  return {
    topic,
    partition: offset % 4,
    offset: String(offset),
    timestampMs: START,
    key: Buffer.from(randomUUID().replaceAll("-", "")),
    value: Buffer.from(JSON.stringify(value)),
    headers: {},
  };
}

function trend({ customer = "7", day, concerts = 5, online = 1, op = "i", mortgage }: Trend): SourceRecord {
  const at = START + day * DAY;
  const row = {
    date: "2022-01-01",
    number_of_concert_tickets: concerts,
    number_of_comedy_shows: 0,
    number_of_sport_events: 2,
    number_of_online_txns: online,
    home_mortgage_purchased_ts: mortgage ?? null,
    customer_id: customer,
    datetime_created: at,
    datetime_updated: at,
  };
  const source = {
    version: "1.1.1.Final",
    connector: "postgresql",
    name: "bankserver1",
    ts_ms: 1589121006548,
    snapshot: "false",
    db: "start_data_engineer",
    schema: "bank",
    table: "holding",
    txId: 492,
    lsn: 24563232,
    xmin: null,
  };
  const payload = {
    before: row,
    after: op === "d" ? null : row,
    source,
    op,
    ts_ms: 1589121006813,
    transaction: null,
  };
  return record("purchase_trends", { payload, schema: SCHEMA, processingTime: "2022-01-01 00:00:00" });
}

function movement(
  day: number,
  amount: number,
  debitOrCredit: number | null,
  customer: number | null = 7,
): SourceRecord {
  return record("checking_acct", {
    customer_id: customer,
    scheduled_payment: 0,
    txn_amount: amount,
    debit_or_credit: debitOrCredit,
    updt_ts: new Date(START + day * DAY).toISOString(),
    initial_balance: 10000,
  });
}

/** Decodes, checks and applies, one customer at a time; the path without its store. */
function after(records: readonly SourceRecord[], pipeline = plan): ReadonlyMap<string, Customer> {
  const decode = createDecoder(pipeline.tables);
  const customers = new Map<string, Customer>();
  const pages = new Map<string, Page>();
  for (const one of records) {
    const decoded = decode(one);
    if (decoded.kind !== "change") throw new Error(JSON.stringify(decoded));
    if (check(decoded.change, decoded.table).kind !== "kept") continue;
    const { change } = decoded;
    const customerId = change.customerId ?? "";
    const where = `${customerId} ${change.table} ${change.page ?? ""}`;
    const empty: Page = {
      customerId,
      table: change.table,
      page: change.page ?? "",
      revision: 0,
      totals: {},
      liveRows: 0,
      rows: {},
      whole: true,
    };
    const loaded = change.page === null ? [] : [pages.get(where) ?? empty];
    const customer = customers.get(customerId) ?? newCustomer(customerId);
    const applied = apply(
      { customer, pages: loaded, changes: [change], truncates: {}, nowMs: START },
      pipeline,
    );
    expect(applied.needsWhole).toEqual([]);
    for (const page of applied.pages)
      pages.set(where, { ...page.after, rows: { ...loaded[0]?.rows, ...page.rows } });
    customers.set(customerId, applied.customer);
  }
  return customers;
}

function customer(records: readonly SourceRecord[], id = "7", pipeline = plan): Customer {
  const found = after(records, pipeline).get(id);
  if (found === undefined) throw new Error(`no customer ${id}`);
  return found;
}

const row = (of: Customer, table: string): unknown =>
  Object.values(of.tables[table] ?? {}).find(({ live }) => live)?.values;

describe("the reference's traps", () => {
  test("1: a delete has no after, and still deletes", () => {
    const gone = customer([trend({ day: 1 }), trend({ day: 2, op: "d" })]);
    expect(row(gone, "patterns")).toBeUndefined();
    expect(row(customer([trend({ day: 2, op: "d" }), trend({ day: 1 })]), "patterns")).toBeUndefined();
  });

  test("2: what the schema calls microseconds are milliseconds", () => {
    expect(row(customer([trend({ day: 1 })]), "patterns")).toMatchObject({
      datetime_updated: "2022-01-02T00:00:00Z",
    });
  });

  test("3: created equals updated in every record, so a lifetime needs the history", () => {
    const seen = customer([trend({ day: 0 }), trend({ day: 172 })]);
    expect(row(seen, "patterns")).toMatchObject({ datetime_created: "2022-06-22T00:00:00Z" });
    expect(seen.metrics["lifetimeDays"]).toBe(172);
  });

  test("4: late records still count for a lifetime, and change nothing else", () => {
    const days = [60, 10, 172, 1, 90];
    const shuffled = customer(days.map((day) => trend({ day, online: day })));
    expect(shuffled.metrics["lifetimeDays"]).toBe(171);
    expect(shuffled.metrics["onlineTransactions"]).toBe(172);
  });

  test("5 and 6: op i is an insert, and the update time orders where lsn, txId and ts_ms stand still", () => {
    const records = [trend({ day: 3, online: 3 }), trend({ day: 2, online: 2, op: "u" })];
    for (const order of [records, records.toReversed()])
      expect(customer(order).metrics["onlineTransactions"]).toBe(3);
  });

  test("7: a random record key does not make another row", () => {
    const seen = customer([trend({ day: 1 }), trend({ day: 2 }), trend({ day: 3 })]);
    expect(Object.keys(seen.tables["patterns"] ?? {})).toEqual(['["7"]']);
  });

  test("8: a flat record without an id is known by its coordinates: redelivered it counts once, sent twice it counts twice", () => {
    const one = movement(1, 30, 1);
    const twin = movement(1, 30, 1);
    expect(customer([one, one]).metrics["debits"]).toBe("30.00");
    expect(customer([one, twin]).metrics["debits"]).toBe("60.00");
  });

  test("9: the text 7 and the number 7 are one customer, and so is the bank's own integer", () => {
    const register = record("bank.public.customers", {
      before: null,
      after: {
        id: 7,
        full_name: "Ann",
        email: null,
        city: null,
        birth_date: 0,
        created_at: "2020-01-01T00:00:00Z",
      },
      source: { lsn: 5, ts_ms: START, snapshot: "false", sequence: null },
      op: "c",
      ts_ms: START,
    });
    expect([...after([trend({ day: 1 }), movement(1, 30, 1), register]).keys()]).toEqual(["7"]);
  });

  test("10: which value is a debit is said in the file, and turns the balance around", () => {
    const records = [movement(1, 30, 1), movement(2, 5, 0)];
    expect(customer(records).metrics).toMatchObject({ debits: "30.00", credits: "5.00", balance: "9975.00" });
    const file = readFileSync("pipelines/banking.yaml", "utf8").replace(/^ {4}value: 1$/m, "    value: 0");
    const turned = customer(records, "7", loadPlan(file, "banking.yaml"));
    expect(turned.metrics).toMatchObject({ debits: "5.00", credits: "30.00", balance: "10025.00" });
  });

  test("10: a movement that does not say is neither debit nor credit", () => {
    expect(customer([movement(1, 30, null)]).metrics).toMatchObject({ debits: "0.00", credits: "0.00" });
  });

  test("11: a customer whose online count is null is UNKNOWN, not HIGH", () => {
    expect(customer([trend({ day: 1, online: null })]).segments["engagement"]).toMatchObject({
      tier: "UNKNOWN",
    });
  });

  test("12: a tier that jumps tells from and to", () => {
    const jumped = customer([trend({ day: 1, online: 1 }), trend({ day: 11, online: 11 })]);
    expect(jumped.segments["engagement"]).toMatchObject({ tier: "HIGH", previousTier: "LOW" });
    expect(jumped.outbox.at(-1)?.segments).toContainEqual({ segment: "engagement", from: "LOW", to: "HIGH" });
  });

  test("13: amounts of zero, and customers without any movement", () => {
    expect(customer([movement(1, 0, 1)]).metrics).toMatchObject({ debits: "0.00", balance: "10000.00" });
    expect(customer([trend({ day: 1 })]).metrics).toMatchObject({
      balance: null,
      spendTotal: "0.00",
      averagePayment: null,
    });
  });

  test("14: tickets that start high have not crossed; tickets that rise have, in any order", () => {
    expect(customer([trend({ day: 1, concerts: 7 })]).offers["concertLover"]).toBeUndefined();
    const rising = [trend({ day: 1, concerts: 5 }), trend({ day: 2, concerts: 6 })];
    for (const order of [rising, rising.toReversed()]) {
      expect(customer(order).offers["concertLover"]).toMatchObject({
        state: "TRIGGERED",
        because: "Concert tickets reached 6.",
      });
    }
  });

  test("15: the end of the reference's data leaves everybody HIGH; with a mortgage the offer for one is gone", () => {
    const high = [trend({ day: 1, online: 1 }), trend({ day: 60, online: 60 })];
    expect(customer(high).offers["mortgageReady"]).toMatchObject({ state: "TRIGGERED" });
    const bought = customer([...high, trend({ day: 61, online: 61, op: "u", mortgage: START + 61 * DAY })]);
    expect(bought.offers["mortgageReady"]).toMatchObject({ state: "WITHDRAWN" });
  });

  test("a record without a customer is never lost: in quarantine where it has no key, dropped and counted by name where it has", () => {
    const decode = createDecoder(plan.tables);
    expect(decode(trend({ day: 1, customer: null }))).toMatchObject({
      kind: "refused",
      refusal: { code: "missing-key" },
    });
    const nobody = decode(movement(1, 5, 1, null));
    if (nobody.kind !== "change") throw new Error(JSON.stringify(nobody));
    expect(check(nobody.change, nobody.table)).toMatchObject({
      kind: "dropped",
      rules: ["customer_present"],
    });
  });
});
