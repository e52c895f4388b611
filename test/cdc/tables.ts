import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { SourceRecord } from "../../src/cdc/change.ts";
import type { ColumnPlan, ColumnType, TablePlan } from "../../src/cdc/table.ts";

type ColumnOptions = Partial<Omit<ColumnPlan, "name" | "type">>;

/** A column as the plan would compile it, all options at their defaults. */
export function column(name: string, type: ColumnType, options: ColumnOptions = {}): ColumnPlan {
  return {
    name,
    type,
    list: false,
    scale: null,
    unit: null,
    format: null,
    encoding: "base64",
    description: null,
    ...options,
  };
}

/** A table as the plan would compile it: one topic of its own name, PostgreSQL's order, key and customer `id`. */
export function table(
  name: string,
  columns: readonly ColumnPlan[],
  options: Partial<TablePlan> = {},
): TablePlan {
  return {
    name,
    topics: [name],
    format: "debezium",
    key: ["id"],
    customer: "id",
    columns,
    sequence: { kind: "log" },
    epoch: 0,
    ops: new Map(),
    deleteWhen: null,
    truncateWhen: null,
    ignoreNulls: new Set(),
    rows: "many",
    storage: { kind: "inline" },
    appendOnly: false,
    expectations: [],
    ...options,
  };
}

/** A record with its key and value as text, as bytes, or as something to write as JSON. */
export function record(topic: string, key: unknown, value: unknown, offset = 0): SourceRecord {
  return {
    topic,
    partition: 0,
    offset: String(offset),
    timestampMs: 1_700_000_000_000,
    key: bytesOf(key),
    value: bytesOf(value),
    headers: {},
  };
}

function bytesOf(content: unknown): Uint8Array | null {
  if (content === null || content instanceof Uint8Array) return content;
  return Buffer.from(typeof content === "string" ? content : JSON.stringify(content));
}

interface CapturedLine {
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
  readonly timestamp: string;
  readonly key: string | null;
  readonly value: string | null;
  readonly headers: Readonly<Record<string, string>>;
}

/** The records captured from a real connector: `postgres-plain` or `postgres-schema`. */
export function captured(name: "postgres-plain" | "postgres-schema"): readonly SourceRecord[] {
  const path = fileURLToPath(new URL(`../fixtures/debezium/${name}.ndjson`, import.meta.url));
  return readFileSync(path, "utf8")
    .trim()
    .split("\n")
    .map((line) => {
      const { topic, partition, offset, timestamp, key, value, headers } = JSON.parse(line) as CapturedLine;
      return {
        topic,
        partition,
        offset,
        timestampMs: Number(timestamp),
        key: key === null ? null : Buffer.from(key),
        value: value === null ? null : Buffer.from(value),
        headers,
      };
    });
}

/** The tables of the captured records. Columns that both captures send alike are declared as the database has them. */
export const capturedTables: readonly TablePlan[] = [
  table(
    "customers",
    [
      column("id", "bigint"),
      column("email", "text"),
      column("name", "text"),
      column("balance", "decimal", { scale: 4 }),
      column("big_num", "decimal"),
      column("created_at", "timestamp"),
      column("local_ts", "timestamp", { unit: "us" }),
      column("birth", "date"),
      column("t", "time", { unit: "us" }),
      column("profile", "json"),
      column("notes", "text"),
      column("tags", "text", { list: true }),
      column("uid", "uuid"),
      column("active", "boolean"),
      column("raw", "bytes", { encoding: "hex" }),
      column("rate", "float"),
      column("r4", "float"),
      column("status_code", "int"),
      column("money_col", "decimal", { scale: 2 }),
      column("bits", "bytes"),
      column("xmlc", "text"),
    ],
    { topics: ["pg-plain.public.customers", "pg-schema.public.customers"], rows: "one" },
  ),
  table(
    "accounts",
    [
      column("id", "bigint"),
      column("customer_id", "bigint"),
      column("iban", "text"),
      column("balance", "decimal", { scale: 10 }),
      column("opened", "date"),
      column("version", "int"),
      column("doc", "text"),
    ],
    { topics: ["pg-plain.public.accounts", "pg-schema.public.accounts"], customer: "customer_id" },
  ),
];
