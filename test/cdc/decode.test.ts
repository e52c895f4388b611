import { describe, expect, test } from "vitest";
import type { Change, SourceRecord } from "../../src/cdc/change.ts";
import { createDecoder, type Decoded } from "../../src/cdc/decode.ts";
import type { TablePlan } from "../../src/cdc/table.ts";
import { column, record, table } from "./tables.ts";

const columns = [
  column("id", "bigint"),
  column("customer_id", "bigint"),
  column("name", "text"),
  column("amount", "decimal", { scale: 2 }),
  column("at", "timestamp", { unit: "ms" }),
  column("open", "boolean"),
];
const accounts = table("accounts", columns, { customer: "customer_id" });
const row = { id: 1, customer_id: 7, name: "Ann", amount: "1.50", at: 1_711_852_200_000, open: true };
const source = { lsn: 100, ts_ms: 1_700_000_000_500, snapshot: "false" };
const set = {
  id: "1",
  customer_id: "7",
  name: "Ann",
  amount: "1.50",
  at: "2024-03-31T02:30:00Z",
  open: true,
};

function decode(plan: TablePlan, found: SourceRecord): Decoded {
  const answer = createDecoder([plan])(found);
  expect(createDecoder([plan], "full")(found)).toEqual(answer);
  return answer;
}

function change(plan: TablePlan, key: unknown, value: unknown): Change {
  const answer = decode(plan, record(plan.name, key, value));
  if (answer.kind !== "change") throw new Error(JSON.stringify(answer));
  return answer.change;
}

function refusal(plan: TablePlan, key: unknown, value: unknown): string {
  const answer = decode(plan, record(plan.name, key, value));
  return answer.kind === "refused"
    ? `${answer.refusal.code}: ${answer.refusal.reason}`
    : JSON.stringify(answer);
}

const envelope = (op: string, more: object = {}): object => ({
  before: null,
  after: row,
  source,
  op,
  ts_ms: 5,
  ...more,
});

describe("a Debezium record", () => {
  test("is a change with its coordinates, clocks, key, customer, position and all its columns", () => {
    expect(change(accounts, { id: 1 }, envelope("u"))).toEqual({
      table: "accounts",
      op: "upsert",
      key: '["1"]',
      customerId: "7",
      page: null,
      position: "0000.103100.1",
      set,
      partial: false,
      origin: { topic: "accounts", partition: 0, offset: "0" },
      sourceMs: 1_700_000_000_500,
      ingestedMs: 1_700_000_000_000,
    });
  });

  test("says the same with the schema embedded in the key, in the value, or in both", () => {
    const schema = { type: "struct", fields: [{ type: "int64", field: "id" }], optional: false };
    const plain = change(accounts, { id: 1 }, envelope("c"));
    expect(change(accounts, { schema, payload: { id: 1 } }, envelope("c"))).toEqual(plain);
    expect(change(accounts, { id: 1 }, { schema, payload: envelope("c") })).toEqual(plain);
    expect(
      change(accounts, { payload: { id: 1 }, schema }, { payload: envelope("c"), schema: null }),
    ).toEqual(plain);
  });

  test.each([
    ["c", "upsert", ".1"],
    ["u", "upsert", ".1"],
    ["r", "upsert", ".0"],
    ["d", "delete", ".1"],
    ["t", "truncate", ".1"],
  ])("with op %s is a %s, ranked %s", (op, name, rank) => {
    const found = change(accounts, { id: 1 }, envelope(op, op === "d" || op === "t" ? { after: null } : {}));
    expect([found.op, found.position]).toEqual([name, `0000.103100${rank}`]);
    expect(found.key).toBe(op === "t" ? "" : '["1"]');
  });

  test("knows the table's own ops, and refuses those nobody knows", () => {
    const aliased = {
      ...accounts,
      ops: new Map([
        ["i", "upsert"],
        ["D", "delete"],
      ] as const),
    };
    expect(change(aliased, null, envelope("i")).op).toBe("upsert");
    expect(change(aliased, { id: 1 }, envelope("D", { after: null })).op).toBe("delete");
    expect(refusal(accounts, null, envelope("i"))).toContain("unknown-op");
  });

  test("of an incremental snapshot, without a log position, stands below everything", () => {
    expect(change(accounts, { id: 1 }, envelope("r", { source: { lsn: null } })).position).toBe(
      "0000.1010.0",
    );
    expect(refusal(accounts, { id: 1 }, envelope("u", { source: { lsn: null } }))).toContain(
      "missing-sequence",
    );
  });

  test("in a wrapper with fields of its own is the record it wraps", () => {
    const schema = {
      type: "struct",
      name: "claim.Value",
      fields: [
        {
          type: "struct",
          field: "after",
          fields: [{ type: "int64", name: "io.debezium.time.MicroTimestamp", field: "at" }],
        },
      ],
    };
    const wrapped = { payload: envelope("u"), schema, processingTime: "2024-01-01" };
    expect(change(accounts, "3f2c7a0e5d", wrapped)).toEqual(change(accounts, null, envelope("u")));
    expect(change(accounts, null, { payload: envelope("u"), processingTime: 1 })).toEqual(
      change(accounts, null, envelope("u")),
    );
  });
});

describe("the row key", () => {
  test("comes from the message key, else from before, else from after", () => {
    expect(
      change(accounts, { id: 1 }, envelope("u", { before: { id: 2 }, after: { ...row, id: 3 } })).key,
    ).toBe('["1"]');
    expect(
      change(accounts, { x: 1 }, envelope("u", { before: { id: 2 }, after: { ...row, id: 3 } })).key,
    ).toBe('["2"]');
    expect(change(accounts, null, envelope("u", { after: { ...row, id: 3 } })).key).toBe('["3"]');
  });

  test("is the same for a number and its text, and different for neighbours beyond 2^53", () => {
    const keyOf = (id: string): string => change(accounts, `{"id":${id}}`, envelope("u")).key;
    expect(keyOf("9007199254740993")).toBe('["9007199254740993"]');
    expect(keyOf('"9007199254740993"')).toBe(keyOf("9007199254740993"));
    expect(keyOf("9007199254740992")).not.toBe(keyOf("9007199254740993"));
    expect(keyOf("7")).toBe(keyOf('"7"'));
  });

  test("of several columns keeps their order and quotes what needs it", () => {
    const plan = { ...accounts, key: ["name", "id"] };
    expect(change(plan, { id: 1, name: 'A "b"' }, envelope("u")).key).toBe(JSON.stringify(['A "b"', "1"]));
  });

  test("is the record's coordinates in a table without one", () => {
    const plan = { ...accounts, key: [], appendOnly: true };
    expect(change(plan, null, envelope("c")).key).toBe('["accounts","0","0"]');
    expect(refusal(plan, null, envelope("d", { after: null }))).toContain("missing-key");
  });

  test("is missing when a key column is absent or null everywhere", () => {
    expect(refusal(accounts, { id: null }, envelope("u", { after: { ...row, id: null } }))).toContain(
      "missing-key",
    );
    expect(refusal(accounts, null, envelope("d", { after: null }))).toContain("missing-key");
  });
});

describe("a delete", () => {
  const del = (before: object | null): object => envelope("d", { before, after: null });

  test("carries no columns, and its key and customer come from before when the customer is the key", () => {
    const patterns = table("patterns", [column("customer_id", "text"), column("n", "int")], {
      key: ["customer_id"],
      customer: "customer_id",
    });
    const found = change(patterns, "random", del({ customer_id: "7" }));
    expect([found.op, found.key, found.customerId, found.set]).toEqual(["delete", '["7"]', "7", {}]);
    expect(change(patterns, null, del({ customer_id: "0" })).customerId).toBe("0");
  });

  test("names its customer only if before cannot have made it up", () => {
    const customerOf = (before: object | null): string | null =>
      change(accounts, { id: 1 }, del(before)).customerId;
    expect(customerOf(row)).toBe("7");
    expect(customerOf({ ...row, customer_id: 0 })).toBeNull();
    expect(customerOf({ ...row, customer_id: null })).toBeNull();
    expect(customerOf(null)).toBeNull();
    expect(change(accounts, { id: 1, customer_id: 8 }, del(row)).customerId).toBe("8");
  });

  test("does not take the column's default for a customer", () => {
    const schema = {
      type: "struct",
      fields: [
        { type: "struct", field: "before", fields: [{ type: "int64", field: "customer_id", default: 7 }] },
      ],
    };
    expect(change(accounts, { id: 1 }, { schema, payload: del(row) }).customerId).toBeNull();
    expect(change(accounts, { id: 1 }, { schema, payload: del({ ...row, customer_id: 8 }) }).customerId).toBe(
      "8",
    );
  });

  test("is placed by before's columns only if they are real", () => {
    const plan: TablePlan = {
      ...accounts,
      sequence: { kind: "columns", columns: ["at"] },
      storage: { kind: "paged", column: "at", period: "month" },
    };
    const real = change(plan, { id: 1 }, del(row));
    expect([real.position, real.page]).toEqual(["0000.120240331023000000000000.1", "2024-03"]);
    expect(refusal(plan, { id: 1 }, del({ ...row, at: 0 }))).toContain("REPLICA IDENTITY FULL");
    expect(refusal(plan, null, envelope("t", { after: null }))).toContain("missing-sequence");
  });

  test("may be a condition on the row, and then keeps what the row says", () => {
    const plan: TablePlan = { ...accounts, deleteWhen: (values) => values["name"] === "gone" };
    const found = change(plan, { id: 1 }, envelope("u", { after: { ...row, name: "gone" } }));
    expect([found.op, found.customerId, found.set, found.partial]).toEqual(["delete", "7", {}, false]);
    expect(change(plan, { id: 1 }, envelope("u")).op).toBe("upsert");
  });
});

describe("a change that does not carry every column", () => {
  test("is partial: absent columns, the placeholder, and nulls that mean absent", () => {
    const plan = { ...accounts, ignoreNulls: new Set(["amount"]) };
    const after = { id: 1, customer_id: 7, name: "__debezium_unavailable_value", amount: null, at: null };
    const found = change(plan, { id: 1 }, envelope("u", { after }));
    expect(found.partial).toBe(true);
    expect(found.set).toEqual({ id: "1", customer_id: "7", at: null });
  });

  test("is not partial because of columns nobody declared", () => {
    expect(change(accounts, { id: 1 }, envelope("u", { after: { ...row, new_column: 1 } })).partial).toBe(
      false,
    );
  });
});

describe("the customer and the page", () => {
  test("number 7 and text 7 are the same customer; null and empty are none", () => {
    const customerOf = (customer_id: unknown): string | null =>
      change(
        {
          ...accounts,
          columns: [...columns.slice(2), column("id", "bigint"), column("customer_id", "text")],
        },
        { id: 1 },
        envelope("u", { after: { ...row, customer_id } }),
      ).customerId;
    expect([customerOf(7), customerOf("7"), customerOf(null), customerOf("")]).toEqual([
      "7",
      "7",
      null,
      null,
    ]);
  });

  test("a page is the month or the day in UTC; a null one is refused", () => {
    const paged = (period: "month" | "day"): TablePlan => ({
      ...accounts,
      storage: { kind: "paged", column: "at", period },
    });
    const at = (value: unknown): object => envelope("u", { after: { ...row, at: value } });
    expect(change(paged("month"), { id: 1 }, at("2024-05-01T01:00:00+02:00")).page).toBe("2024-04");
    expect(change(paged("day"), { id: 1 }, at("2024-05-01T01:00:00+02:00")).page).toBe("2024-04-30");
    expect(refusal(paged("day"), { id: 1 }, at(null))).toContain("missing-page: column at");
    expect(refusal(paged("day"), { id: 1 }, at("infinity"))).toContain("missing-page");
    expect(change(paged("day"), { id: 1 }, at("__debezium_unavailable_value")).page).toBeNull();
  });
});

describe("a flat row", () => {
  const flat: TablePlan = {
    ...accounts,
    format: "flat",
    sequence: { kind: "columns", columns: ["at", "id"] },
  };

  test("is an upsert placed by its columns, which are its clock as well", () => {
    const found = change(flat, null, { ...row, at: "2024-05-17T10:00:00.5Z" });
    expect([found.op, found.key, found.position, found.sourceMs]).toEqual([
      "upsert",
      '["1"]',
      "0000.1202405171000005000000001011.1",
      Date.UTC(2024, 4, 17, 10, 0, 0, 500),
    ]);
  });

  test("may be wrapped by the JSON converter, unless its table declares such columns", () => {
    expect(change(flat, null, { schema: null, payload: row })).toEqual(change(flat, null, row));
    const own = { ...flat, columns: [...columns, column("payload", "text"), column("schema", "text")] };
    expect(change(own, null, { ...row, payload: "p", schema: "s" }).set).toMatchObject({
      payload: "p",
      schema: "s",
    });
  });

  test("that the connector marked as deleted is a delete, placed by its own fields", () => {
    const plan: TablePlan = { ...flat, sequence: { kind: "log" } };
    const marked = { ...row, __deleted: "true", __op: "d", __lsn: 100, __source_ts_ms: 9 };
    expect(change(plan, null, marked)).toMatchObject({
      op: "delete",
      key: '["1"]',
      customerId: "7",
      position: "0000.103100.1",
      sourceMs: 9,
    });
    expect(change(plan, null, { ...marked, __deleted: "false", __op: "r" })).toMatchObject({
      op: "upsert",
      position: "0000.103100.0",
    });
  });

  test("truncates by a condition, without a key", () => {
    const plan: TablePlan = { ...flat, truncateWhen: (values) => values["name"] === "TRUNCATE" };
    expect(change(plan, null, { id: 3, name: "TRUNCATE", at: 1 })).toMatchObject({
      op: "truncate",
      key: "",
      customerId: null,
    });
  });
});

describe("the sequence", () => {
  const by = (...names: string[]): TablePlan => ({
    ...accounts,
    sequence: { kind: "columns", columns: names },
  });

  test("of a date in text with its format declared sorts by time, not by text", () => {
    const textual = columns.map((c) =>
      c.name === "at" ? column("at", "timestamp", { format: "MM-dd-yyyy HH:mm:ss" }) : c,
    );
    const plan: TablePlan = { ...by("at"), columns: textual };
    const positionAt = (at: string): string =>
      change(plan, { id: 1 }, envelope("u", { after: { ...row, at } })).position;
    expect(positionAt("12-31-2023 23:59:59") < positionAt("01-01-2024 00:00:00")).toBe(true);
  });

  test("is missing when null, absent or without an order: refused, never applied", () => {
    for (const at of [null, "infinity", undefined]) {
      expect(refusal(by("at"), { id: 1 }, envelope("u", { after: { ...row, at } }))).toContain(
        "missing-sequence",
      );
    }
  });

  test("carries the epoch in front", () => {
    expect(change({ ...by("id"), epoch: 12 }, { id: 1 }, envelope("u")).position).toBe("0012.1011.1");
  });
});

describe("what is no change", () => {
  const tombstones: unknown[] = [null, "", "null", '{"schema":null,"payload":null}'];
  test.each(tombstones)("%j is a tombstone", (value) => {
    expect(decode(accounts, record("accounts", { id: 1 }, value))).toEqual({
      kind: "skip",
      skip: "tombstone",
    });
  });

  test.each([
    ["heartbeat", { ts_ms: 1 }],
    ["schema-change", { source, ts_ms: 1, databaseName: "bank", ddl: "drop table t", tableChanges: [] }],
    ["transaction", { status: "BEGIN", id: "1:2", event_count: null, data_collections: null, ts_ms: 1 }],
    ["message", { op: "m", ts_ms: 1, source, message: { prefix: "p", content: "aGk=" } }],
  ])("a %s is recognised on a table's topic and on any other, wrapped or not", (skip, value) => {
    for (const topic of ["accounts", "elsewhere"]) {
      for (const shape of [value, { schema: { type: "struct" }, payload: value }]) {
        expect(decode(accounts, record(topic, null, shape))).toEqual({ kind: "skip", skip });
      }
    }
  });

  test("a topic that no table reads is skipped, whatever is in it", () => {
    for (const value of [envelope("u"), "not json", null]) {
      expect(decode(accounts, record("elsewhere", null, value))).toEqual({
        kind: "skip",
        skip: "unmapped-topic",
      });
    }
    expect(decode(accounts, record("__debezium-heartbeat.bank", null, "{}"))).toEqual({
      kind: "skip",
      skip: "heartbeat",
    });
  });
});

describe("a record that cannot be read", () => {
  test.each([
    ["unreadable", "not json"],
    ["unreadable", "[1]"],
    ["unreadable", "{}"],
    ["unreadable", Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])],
    ["unreadable", envelope("u", { after: null })],
    ["unreadable", envelope("u", { after: '{"id":1}' })],
    ["unreadable", `{"op":"u","after":${"[".repeat(10_000)}`],
    ["unknown-op", envelope("x")],
    ["bad-value: column amount", envelope("u", { after: { ...row, amount: "MDk=" } })],
    ["bad-value: column at", envelope("u", { after: { ...row, at: "yesterday" } })],
  ])("is refused as %s", (code, value) => {
    expect(refusal(accounts, { id: 1 }, value)).toContain(code);
  });

  test("keeps names like __proto__ harmless", () => {
    const value = JSON.stringify(envelope("u")).replace(
      '"after":{',
      '"after":{"__proto__":{"name":"evil"},"constructor":1,',
    );
    expect(change(accounts, '{"__proto__":{"id":5},"id":1}', value).set).toEqual(set);
  });
});
