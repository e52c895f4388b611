import type { SourceRecord } from "../cdc/change.ts";

/** What the benchmark feeds the path of a change with. */
export interface RecordOptions {
  readonly seed: number;
  readonly customers: number;
  readonly count: number;
  /** Embed the Kafka Connect schema in every value, as the JSON converter does by default. */
  readonly schema: boolean;
}

/** The pipeline the benchmark's records belong to: a one-row and a paged table, five rules each, tiers, an offer. */
export const BENCH_PIPELINE = `
name: bench
tables:
  profiles:
    topics: [bench.public.profiles]
    key: [id]
    customer: id
    rows: one
    columns:
      id: { type: bigint }
      full_name: { type: text }
      email: { type: text }
      city: { type: text }
      street: { type: text }
      phone: { type: text }
      occupation: { type: text }
      income: { type: decimal, scale: 2 }
      children: { type: int }
      newsletter: { type: boolean }
      note: { type: text }
      updated_at: { type: timestamp }
    expect: &rules
      id_present: { that: 'row.id != null', else: quarantine }
      updated_present: { that: 'row.updated_at != null', else: warn }
      children_sane: { that: 'row.children == null || row.children < 30', else: warn }
      income_positive: { that: 'row.income == null || row.income >= 0.0', else: warn }
      city_named: { that: 'row.city == null || row.city != ""', else: warn }
  payments:
    topics: [bench.public.payments]
    key: [id]
    customer: customer_id
    rows: many
    page: { column: posted_at, period: month }
    columns:
      id: { type: bigint }
      customer_id: { type: bigint }
      amount: { type: decimal, scale: 2 }
      category: { type: text }
      merchant: { type: text }
      terminal: { type: text }
      reference: { type: text }
      online: { type: boolean }
      posted_at: { type: timestamp }
    expect:
      id_present: { that: 'row.id != null', else: quarantine }
      amount_present: { that: 'row.amount != null', else: quarantine }
      amount_sane: { that: 'row.amount < 100000.0', else: warn }
      category_known: { that: 'row.category in ["groceries", "travel", "dining", "shopping"]', else: warn }
      posted_present: { that: 'row.posted_at != null', else: quarantine }
metrics:
  spend: { description: Total., table: payments, sum: amount }
  travel: { description: Travel., table: payments, sum: amount, where: 'row.category == "travel"' }
  payments: { description: Count., table: payments, count: true }
segments:
  spending:
    description: By total.
    tiers: { HIGH: 'metrics.spend >= 2000.0', MEDIUM: 'metrics.spend >= 500.0' }
    otherwise: LOW
offers:
  lounge:
    title: Airport lounge
    description: For frequent travellers.
    trigger: { when: 'metrics.travel >= 800.0' }
    reason: 'Spent {metrics.travel} on travel.'
`;

const CATEGORIES = ["groceries", "travel", "dining", "shopping"] as const;
const CITIES = ["Utrecht", "Łódź", "København", "São Paulo", "Zürich"] as const;
const START_MS = Date.UTC(2026, 0, 1);
const START_LSN = 24_000_000_000;

/**
 * Debezium records in arrival order: 70 % payments, 30 % profiles; about 5 % repeats, 5 % late by up to 50 places,
 * 1 % deletes with their tombstones. Texts hold `"after":` and characters outside ASCII, to break careless slicing.
 */
export function benchRecords(options: RecordOptions): readonly SourceRecord[] {
  const random = generator(options.seed);
  const records: SourceRecord[] = [];
  for (let index = 0; records.length < options.count; index += 1) {
    const customer = 1 + Math.floor(options.customers * random() ** 2);
    const change = random() < 0.7 ? payment(index, customer, random) : profile(index, customer, random);
    const record = toRecord(change, index, options.schema);
    const late = random();
    if (late < 0.05) records.splice(Math.max(0, records.length - Math.floor(random() * 50)), 0, record);
    else records.push(record);
    if (late > 0.95) records.push(record);
    if (change.op === "d") records.push({ ...record, offset: `${record.offset}9`, value: null });
  }
  return records;
}

/** One profile and two payments for each of so many customers, in order. */
export function customerRecords(customers: number): readonly SourceRecord[] {
  const random = generator(customers);
  return Array.from({ length: customers }, (_, index) => index + 1).flatMap((customer) => [
    toRecord(profile(3 * customer, customer, random), 3 * customer, false),
    toRecord(payment(3 * customer + 1, customer, random), 3 * customer + 1, false),
    toRecord(payment(3 * customer + 2, customer, random), 3 * customer + 2, false),
  ]);
}

/** A profile of a customer that carries a note; `index` sets its position, above every record with a smaller one. */
export function notedProfile(customer: number, index: number, note: string): SourceRecord {
  const made = profile(index, customer, () => 0.5);
  return toRecord({ ...made, row: { ...made.row, note } }, index, false);
}

interface Made {
  readonly table: "profiles" | "payments";
  readonly op: "c" | "u" | "d";
  readonly key: string;
  readonly row: Readonly<Record<string, unknown>>;
}

function payment(index: number, customer: number, random: () => number): Made {
  const id = `90071992547${String(40_000_000 + index)}`;
  const row = {
    id: 40_000_000 + index,
    customer_id: customer,
    amount: (random() * 90).toFixed(2),
    category: CATEGORIES[Math.floor(random() * 4)],
    merchant: `Merchant ${Math.floor(random() * 500)} "after": b.v.`,
    terminal: `T-${id}`,
    reference: `card payment no. ${index} at counter ${index % 7}, authorised offline`,
    online: random() < 0.3,
    posted_at: new Date(START_MS + index * 1000).toISOString(),
  };
  return { table: "payments", op: random() < 0.01 ? "d" : "c", key: `{"id":${row.id}}`, row };
}

function profile(index: number, customer: number, random: () => number): Made {
  const row = {
    id: customer,
    full_name: `Jörg Müller-${customer} "payload":`,
    email: `c${customer}@example.com`,
    city: CITIES[index % 5],
    street: `Lange Straße ${index % 300}`,
    phone: `+31 20 ${1_000_000 + customer}`,
    occupation: "field engineer",
    income: (20_000 + random() * 80_000).toFixed(2),
    children: index % 4,
    newsletter: random() < 0.5,
    note: `visited the branch; asked about "after": sales, ${index}`,
    updated_at: new Date(START_MS + index * 1000).toISOString(),
  };
  return { table: "profiles", op: "u", key: `{"id":${customer}}`, row };
}

function toRecord(made: Made, index: number, schema: boolean): SourceRecord {
  const lsn = START_LSN + index * 64;
  const ms = START_MS + index * 1000;
  const source = {
    version: "3.7.0.Final",
    connector: "postgresql",
    name: "bench",
    ts_ms: ms,
    snapshot: "false",
    db: "bank",
    sequence: `["${lsn - 64}","${lsn}"]`,
    schema: "public",
    table: made.table,
    txId: index,
    lsn,
    xmin: null,
  };
  const deleted = made.op === "d";
  const payload = JSON.stringify({
    before: deleted ? made.row : null,
    after: deleted ? null : made.row,
    source,
    transaction: null,
    op: made.op,
    ts_ms: ms + 3,
  });
  const value = schema ? `{"schema":${envelopeSchema(made)},"payload":${payload}}` : payload;
  return {
    topic: `bench.public.${made.table}`,
    partition: 0,
    offset: String(index),
    timestampMs: ms + 5,
    key: Buffer.from(made.key),
    value: Buffer.from(value),
    headers: {},
  };
}

const schemas = new Map<string, string>();

/** The Connect schema of an envelope, as wordy as the real one. */
function envelopeSchema(made: Made): string {
  const known = schemas.get(made.table);
  if (known !== undefined) return known;
  const fields = Object.entries(made.row).map(([field, value]) => ({
    type: typeof value === "number" ? "int64" : typeof value === "boolean" ? "boolean" : "string",
    optional: field !== "id",
    ...(field.endsWith("_at") ? { name: "io.debezium.time.ZonedTimestamp", version: 1 } : {}),
    field,
  }));
  const struct = (field: string) => ({
    type: "struct",
    fields,
    optional: true,
    name: `bench.public.${made.table}.Value`,
    field,
  });
  const text = JSON.stringify({
    type: "struct",
    fields: [
      struct("before"),
      struct("after"),
      {
        type: "struct",
        fields: SOURCE_FIELDS,
        optional: false,
        name: "io.debezium.connector.postgresql.Source",
        field: "source",
      },
      { type: "string", optional: false, field: "op" },
      { type: "int64", optional: true, field: "ts_ms" },
    ],
    optional: false,
    name: `bench.public.${made.table}.Envelope`,
    version: 2,
  });
  schemas.set(made.table, text);
  return text;
}

const SOURCE_FIELDS = [
  "version",
  "connector",
  "name",
  "ts_ms",
  "snapshot",
  "db",
  "sequence",
  "schema",
  "table",
  "txId",
  "lsn",
  "xmin",
].map((field) => ({ type: /ts_ms|txId|lsn|xmin/.test(field) ? "int64" : "string", optional: true, field }));

/** A small deterministic random source (mulberry32): numbers from 0 up to 1. */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
