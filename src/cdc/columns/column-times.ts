import type { Value } from "../change.ts";
import { Digits, type Json } from "../reading/json.ts";
import type { ColumnPlan, TimeUnit } from "../table.ts";
import { instantText, type Instant } from "./calendar.ts";
import type { ScalarDecoder } from "./column-numbers.ts";
import type { FieldSchema } from "./connect-schema.ts";
import { compileFormat, type TimeReader } from "./time-format.ts";
import {
  canonicalInstant,
  clockOfInstant,
  dateOfInstant,
  infiniteDate,
  infinityOf,
  infinityText,
  instantOfInteger,
  readClock,
  readIso,
} from "./times.ts";
import { Misfit } from "./values.ts";

const UNIT_OF_LOGICAL_TYPE: ReadonlyMap<string, TimeUnit> = new Map([
  ["io.debezium.time.Date", "days"],
  ["org.apache.kafka.connect.data.Date", "days"],
  ["io.debezium.time.Time", "ms"],
  ["io.debezium.time.MicroTime", "us"],
  ["io.debezium.time.NanoTime", "ns"],
  ["org.apache.kafka.connect.data.Time", "ms"],
  ["io.debezium.time.Timestamp", "ms"],
  ["io.debezium.time.MicroTimestamp", "us"],
  ["io.debezium.time.NanoTimestamp", "ns"],
  ["org.apache.kafka.connect.data.Timestamp", "ms"],
]);

const MAX_CLOCK_SECONDS = 86_400;

/** Dates: numbers are days unless a unit is declared; texts are ISO, or in the declared format. */
export function compileDate(column: ColumnPlan, schema: FieldSchema | null): ScalarDecoder {
  const unit = unitOf(column, schema) ?? "days";
  const read = readerOf(column);
  return (raw) => {
    const digits = integerOf(raw);
    if (digits === null) return ofText(raw, column, (text) => dateOf(read(text)));
    const infinite = infinityOf(digits) ?? (unit === "days" ? infiniteDate(Number(digits)) : null);
    return infinite ?? dateOf(instantOfInteger(digits, unit)) ?? new Misfit("is beyond the calendar");
  };
}

/** Times of day: numbers count from midnight and need a unit; texts with a zone are brought to UTC. */
export function compileTime(column: ColumnPlan, schema: FieldSchema | null): ScalarDecoder {
  const unit = unitOf(column, schema);
  const read = column.format === null ? null : readerOf(column);
  return (raw) => {
    const digits = integerOf(raw);
    if (digits === null) {
      return ofText(raw, column, (text) => (read === null ? readClock(text) : clockOf(read(text))));
    }
    if (unit === null) return unitMissing();
    return midnightBased(instantOfInteger(digits, unit));
  };
}

/** Instants: numbers need a unit; texts without a zone are UTC. A declared unit overrides what the schema claims. */
export function compileTimestamp(column: ColumnPlan, schema: FieldSchema | null): ScalarDecoder {
  const unit = unitOf(column, schema);
  const read = column.format === null ? null : readerOf(column);
  return (raw) => {
    if (typeof raw === "string" && read === null) {
      const canonical = canonicalInstant(raw) ?? infinityText(raw);
      if (canonical !== null) return canonical;
    }
    const digits = integerOf(raw);
    if (digits === null || (typeof raw === "string" && read !== null)) {
      return ofText(raw, column, (text) => momentOf((read ?? readIso)(text)));
    }
    const infinite = infinityOf(digits);
    if (infinite !== null) return infinite;
    if (unit === null) return unitMissing();
    return momentOf(instantOfInteger(digits, unit)) ?? new Misfit("is beyond the calendar");
  };
}

function unitOf(column: ColumnPlan, schema: FieldSchema | null): TimeUnit | null {
  return column.unit ?? UNIT_OF_LOGICAL_TYPE.get(schema?.name ?? "") ?? null;
}

function readerOf(column: ColumnPlan): TimeReader {
  if (column.format === null) return readIso;
  const reader = compileFormat(column.format);
  if (reader === null) throw new Error(`column ${column.name}: "${column.format}" is not a date format`);
  return reader;
}

/** The digits of an integer, sent as a number or as text; null for anything else. A fraction of zeros is no fraction. */
function integerOf(raw: Json): string | null {
  if (typeof raw === "number") return raw === 0 ? "0" : String(raw);
  const text = raw instanceof Digits ? raw.text : typeof raw === "string" ? raw : "";
  const bare = raw instanceof Digits && text.includes(".") ? text.replace(/\.0+$/, "") : text;
  // Eight digits would be a compact date as well as a number; such texts need a declared format.
  return /^-?\d{1,20}$/.test(bare) && !(typeof raw === "string" && bare.length === 8) ? bare : null;
}

function ofText(raw: Json, column: ColumnPlan, read: (text: string) => string | null): Value | Misfit {
  if (typeof raw !== "string")
    return new Misfit(`is neither text nor a whole number, as a ${column.type} must be`);
  const infinite = column.type === "time" ? null : infinityText(raw);
  const wanted =
    column.format === null ? `an ISO ${column.type}` : `a ${column.type} in the format ${column.format}`;
  return infinite ?? read(raw) ?? new Misfit(`is not ${wanted}`);
}

function dateOf(instant: Instant | null): string | null {
  return instant === null ? null : dateOfInstant(instant);
}

function clockOf(instant: Instant | null): string | null {
  return instant === null ? null : clockOfInstant(instant);
}

function momentOf(instant: Instant | null): string | null {
  return instant === null ? null : instantText(instant);
}

function midnightBased(instant: Instant | null): Value | Misfit {
  const { seconds, fraction } = instant ?? { seconds: -1, fraction: "" };
  const isPast = seconds > MAX_CLOCK_SECONDS || (seconds === MAX_CLOCK_SECONDS && fraction !== "");
  if (instant === null || seconds < 0 || isPast) return new Misfit("is not a time of day");
  if (seconds === MAX_CLOCK_SECONDS) return "24:00:00";
  return clockOfInstant(instant);
}

function unitMissing(): Misfit {
  return new Misfit(
    "is a number, and neither the pipeline nor the record says in which unit: declare `unit`",
  );
}
