import { object, text, type Json } from "./json.ts";

/** A column as Kafka Connect's JSON converter describes it. */
export interface ConnectField {
  readonly name: string;
  readonly schema: Readonly<Record<string, Json>>;
}

/** One table as a Debezium PostgreSQL connector publishes it. */
export interface ConnectorTable {
  readonly topic: string;
  readonly table: string;
  readonly fields: readonly ConnectField[];
  /** True when the converter embeds the schema in every key and value. */
  readonly schemas: boolean;
}

/** What the connector says of one change, besides the row. */
export interface Commit {
  readonly op: "r" | "c" | "u" | "d";
  /** Log sequence number. */
  readonly lsn: bigint;
  readonly transaction: number;
  /** Commit time, milliseconds since 1970. */
  readonly commitMs: number;
}

/** A row image before and after, as JSON objects; null where the connector sends null. */
export interface Images {
  readonly before: Json | null;
  readonly after: Json | null;
}

const field = (name: string, type: string, optional: boolean): Json =>
  object({ type: text(type), optional: String(optional), field: text(name) });

const SOURCE_FIELDS = [
  field("version", "string", false),
  field("connector", "string", false),
  field("name", "string", false),
  field("ts_ms", "int64", false),
  object({
    type: text("string"),
    optional: "true",
    name: text("io.debezium.data.Enum"),
    version: "1",
    parameters: object({
      allowed: text("true,first,first_in_data_collection,last_in_data_collection,last,false,incremental"),
    }),
    default: text("false"),
    field: text("snapshot"),
  }),
  field("db", "string", false),
  field("sequence", "string", true),
  field("ts_us", "int64", true),
  field("ts_ns", "int64", true),
  field("schema", "string", false),
  field("table", "string", false),
  field("txId", "int64", true),
  field("lsn", "int64", true),
  field("xmin", "int64", true),
].join(",");

function rowSchema(table: ConnectorTable, member: "before" | "after"): Json {
  const fields = table.fields.map(({ name, schema }) => object({ ...schema, field: text(name) })).join(",");
  return `{"type":"struct","fields":[${fields}],"optional":true,"name":"${table.topic}.Value","field":"${member}"}`;
}

function valueSchema(table: ConnectorTable): Json {
  const source = `{"type":"struct","fields":[${SOURCE_FIELDS}],"optional":false,"name":"io.debezium.connector.postgresql.Source","version":1,"field":"source"}`;
  const transaction = `{"type":"struct","fields":[${field("id", "string", false)},${field("total_order", "int64", false)},${field("data_collection_order", "int64", false)}],"optional":true,"name":"event.block","version":1,"field":"transaction"}`;
  const fields = [
    rowSchema(table, "before"),
    rowSchema(table, "after"),
    source,
    transaction,
    field("op", "string", false),
    field("ts_ms", "int64", true),
    field("ts_us", "int64", true),
    field("ts_ns", "int64", true),
  ];
  return `{"type":"struct","fields":[${fields.join(",")}],"optional":false,"name":"${table.topic}.Envelope","version":2}`;
}

function source(table: ConnectorTable, commit: Commit): Json {
  return object({
    version: text("3.7.0.Final"),
    connector: text("postgresql"),
    name: text("bank"),
    ts_ms: String(commit.commitMs),
    snapshot: text(commit.op === "r" ? "true" : "false"),
    db: text("bank"),
    sequence: text(`[${commit.op === "r" ? "null" : `"${commit.lsn - 8n}"`},"${commit.lsn}"]`),
    ts_us: `${commit.commitMs}000`,
    ts_ns: `${commit.commitMs}000000`,
    schema: text("public"),
    table: text(table.table),
    txId: String(commit.transaction),
    lsn: String(commit.lsn),
    xmin: "null",
    origin: "null",
    origin_lsn: "null",
  });
}

/** Writes keys and values of one table; the schemas are made once. */
export function connector(table: ConnectorTable) {
  const schema = table.schemas ? valueSchema(table) : null;
  const keyPrefix = `{"schema":{"type":"struct","fields":[{"type":"int64","optional":false,"field":"id"}],"optional":false,"name":"${table.topic}.Key"},"payload":`;
  return {
    topic: table.topic,
    key: (id: string): string => (table.schemas ? `${keyPrefix}{"id":${id}}}` : `{"id":${id}}`),
    value(images: Images, commit: Commit): string {
      const payload = object({
        before: images.before ?? "null",
        after: images.after ?? "null",
        source: source(table, commit),
        transaction: "null",
        op: text(commit.op),
        ts_ms: String(commit.commitMs + 3),
        ts_us: `${commit.commitMs + 3}000`,
        ts_ns: `${commit.commitMs + 3}000000`,
      });
      return schema === null ? payload : `{"schema":${schema},"payload":${payload}}`;
    },
  };
}
