import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { SourceRecord } from "../../../src/cdc/change.ts";
import { loadPlan } from "../../../src/plan/load.ts";
import { inspectSample } from "../../../src/plan/sample/sample.ts";

const NOW = Date.UTC(2024, 0, 1);
const DAY = 86_400_000;

interface Sketch {
  readonly sequence?: string;
  readonly columns?: string;
  readonly rows: readonly Record<string, unknown>[];
  readonly schema?: unknown;
  readonly op?: string;
}

function pipeline(sequence: string, columns: string): string {
  return `name: t\ntables:\n  t:\n    topics: [t]\n    key: [id]\n    customer: id\n    rows: many\n${sequence}    columns:\n      id: { type: bigint }\n${columns}`;
}

/** The codes and columns of what a sample of rows of one table raises. */
function warned({ sequence = "", columns = "", rows, schema, op = "u" }: Sketch): readonly string[] {
  const records = rows.map((row, at): SourceRecord => {
    const payload = { before: null, after: row, op, source: { lsn: 100 + at, ts_ms: NOW }, ts_ms: NOW };
    return {
      topic: "t",
      partition: 0,
      offset: String(at),
      timestampMs: NOW,
      key: null,
      value: Buffer.from(JSON.stringify(schema === undefined ? payload : { schema, payload })),
      headers: {},
    };
  });
  return inspectSample(loadPlan(pipeline(sequence, columns), "t.yaml"), records).map(({ code, column }) =>
    column === null ? code : `${code} ${column}`,
  );
}

const seen = "      seen: { type: timestamp, unit: ms }\n";

test("a sound sample raises nothing", () => {
  expect(
    warned({ columns: seen, rows: [1, 2, 1, 2, 3].map((id, at) => ({ id, seen: NOW - at * DAY })) }),
  ).toEqual([]);
});

test("a sequence that stands still is told, with the column that moves", () => {
  const rows = [1, 1, 1].map((id, at) => ({ id, version: 5, seen: NOW - at }));
  const text = pipeline("    sequenceBy: [version]\n", `      version: { type: int }\n${seen}`);
  expect(
    warned({
      sequence: "    sequenceBy: [version]\n",
      columns: `      version: { type: int }\n${seen}`,
      rows,
    }),
  ).toEqual(["constant-sequence"]);
  const [warning] = inspectSample(
    loadPlan(text, "t.yaml"),
    rows.map((row, at) => ({
      topic: "t",
      partition: 0,
      offset: String(at),
      timestampMs: NOW,
      key: null,
      headers: {},
      value: Buffer.from(JSON.stringify({ op: "u", after: row })),
    })),
  );
  expect(warning?.text).toContain("seen does move");
});

test("rows of one snapshot share their position rightfully", () => {
  const records = Array.from({ length: 9 }, (_, id): SourceRecord => ({
    topic: "t",
    partition: 0,
    offset: String(id),
    timestampMs: NOW,
    key: null,
    value: Buffer.from(
      JSON.stringify({ op: "r", after: { id }, source: { lsn: 7, snapshot: "true", ts_ms: NOW } }),
    ),
    headers: {},
  }));
  expect(inspectSample(loadPlan(pipeline("", ""), "t.yaml"), records)).toEqual([]);
});

test("dates compared as text are told", () => {
  const rows = ["12-31-2023 23:59:59", "01-01-2024 00:00:00"].map((day) => ({ id: 1, day }));
  expect(
    warned({ sequence: "    sequenceBy: [day]\n", columns: "      day: { type: text }\n", rows }),
  ).toEqual(["text-date-sequence day"]);
});

test("values ahead of their own record are told", () => {
  expect(warned({ columns: seen, rows: [{ id: 1, seen: NOW + 199 * DAY }] })).toEqual(["future-values seen"]);
});

test("a unit that leads to 1970 is told, with the one that fits", () => {
  expect(
    warned({ columns: "      seen: { type: timestamp, unit: us }\n", rows: [{ id: 1, seen: NOW }] }),
  ).toEqual(["unit-doubtful seen"]);
  expect(
    warned({ columns: "      seen: { type: timestamp, unit: s }\n", rows: [{ id: 1, seen: NOW }] }),
  ).toEqual(["unit-doubtful seen"]);
});

test("an embedded schema that contradicts the file is told, and so is one that is believed and wrong", () => {
  const fields = [
    {
      type: "struct",
      field: "after",
      fields: [
        { type: "int64", name: "io.debezium.time.MicroTimestamp", field: "seen" },
        { type: "int64", field: "id" },
      ],
    },
  ];
  const schema = { type: "struct", fields };
  const rows = [{ id: 1, seen: NOW }];
  expect(warned({ columns: seen, rows, schema })).toEqual(["schema-contradicts seen"]);
  expect(warned({ columns: "      seen: { type: timestamp }\n", rows, schema })).toEqual([
    "unit-doubtful seen",
  ]);
});

test("columns nobody declared, and declared ones nobody sends, are told", () => {
  expect(warned({ columns: "      name: { type: text }\n", rows: [{ id: 1, nam: "x" }] })).toEqual([
    "undeclared-column nam",
    "column-never-seen name",
  ]);
});

test("records that would go to quarantine are told with their reason", () => {
  expect(warned({ rows: [{ id: 1 }, { id: null }] })).toEqual(["refused"]);
});

test("the reference's own topic raises its known traps, and they are answered in the file", () => {
  const plan = loadPlan(readFileSync("pipelines/banking.yaml", "utf8"), "banking.yaml");
  const records = Array.from({ length: 12 }, (_, at): SourceRecord => {
    const updated = NOW + at * DAY;
    const row = {
      customer_id: String(at % 3),
      date: "2022-01-01",
      number_of_concert_tickets: 5,
      number_of_online_txns: at,
      datetime_created: updated,
      datetime_updated: updated,
    };
    return {
      topic: "purchase_trends",
      partition: at % 3,
      offset: String(at),
      timestampMs: NOW,
      key: Buffer.from(`random-${at}`),
      value: Buffer.from(
        JSON.stringify({ payload: { before: row, after: row, op: "i", source: { lsn: 24563232 } } }),
      ),
      headers: {},
    };
  });
  const codes = new Set(inspectSample(plan, records).map(({ code }) => code));
  expect([...codes]).toEqual(["random-record-keys", "future-values", "column-never-seen"]);
});
