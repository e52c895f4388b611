import type { ColumnPlan, TimeUnit } from "../../cdc/table.ts";
import { instantOf } from "../cel/instants.ts";
import type { Seen, Warning } from "./seen.ts";

const DAY_MS = 86_400_000;
/** Clocks of different machines may differ by this much. */
const TOLERANCE_MS = DAY_MS / 24;
/** Instants a business has seldom to do with; a wrong unit ends up there. */
const EARLY_MS = Date.UTC(1971, 0, 1);
const LATE_MS = Date.UTC(2300, 0, 1);
/** Fields the connector's flattening adds to a row. */
const ADDED = /^__/;
const CONNECT_UNITS: Readonly<Record<string, TimeUnit>> = {
  "io.debezium.time.Timestamp": "ms",
  "org.apache.kafka.connect.data.Timestamp": "ms",
  "io.debezium.time.MicroTimestamp": "us",
  "io.debezium.time.NanoTimestamp": "ns",
};
const PER_SECOND: Readonly<Partial<Record<TimeUnit, number>>> = { s: 1, ms: 1e3, us: 1e6, ns: 1e9 };

/** What is doubtful about a table's columns: their clocks, units and declarations. */
export function columnWarnings(seen: Seen): Warning[] {
  const { table } = seen;
  const known = new Set(table.columns.map(({ name }) => name));
  const clocks = table.columns.filter(({ type, list }) => type === "timestamp" && !list);
  return [
    ...clocks.flatMap((column) => [...future(seen, column), ...unit(seen, column), ...schema(seen, column)]),
    ...[...seen.columns]
      .filter((name) => !known.has(name) && !ADDED.test(name))
      .map((name) => undeclared(table.name, name)),
    ...(seen.columns.size === 0
      ? []
      : table.columns
          .filter(({ name }) => !seen.columns.has(name))
          .map(({ name }) => missing(table.name, name))),
  ];
}

/** Milliseconds since 1970 of a column's values, beside what they should not be ahead of. Infinities are left out. */
function instants({ changes }: Seen, column: string): { readonly ms: number; readonly nowMs: number }[] {
  return changes.flatMap(({ change, nowMs }) => {
    const value = change.set[column];
    const instant = typeof value === "string" && !value.endsWith("infinity") ? instantOf(value) : null;
    return instant === null ? [] : [{ ms: Number(instant.ns / 1_000_000n), nowMs }];
  });
}

function future(seen: Seen, column: ColumnPlan): Warning[] {
  const { table } = seen;
  const ahead = instants(seen, column.name).filter(
    ({ ms, nowMs }) => ms > nowMs + TOLERANCE_MS && ms < LATE_MS,
  );
  if (ahead.length === 0) return [];
  const most = Math.round(ahead.reduce((days, { ms, nowMs }) => Math.max(days, (ms - nowMs) / DAY_MS), 0));
  const orders = table.sequence.kind === "columns" && table.sequence.columns.includes(column.name);
  const danger = orders
    ? ". It orders the rows, so a value from the future keeps true ones out until it is reached"
    : "";
  const text = `${ahead.length} value${ahead.length === 1 ? " lies" : "s lie"} ahead of ${ahead.length === 1 ? "its own record" : "their own records"}, by up to ${most} day${most === 1 ? "" : "s"}${danger}`;
  return [{ code: "future-values", table: table.name, column: column.name, text }];
}

function unit(seen: Seen, column: ColumnPlan): Warning[] {
  const values = instants(seen, column.name).map(({ ms }) => ms);
  const early = values.length > 0 && values.every((ms) => ms >= 0 && ms < EARLY_MS);
  const late = values.length > 0 && values.every((ms) => ms > LATE_MS);
  if (!early && !late) return [];
  const used = column.unit ?? CONNECT_UNITS[seen.schemas.get(column.name) ?? ""] ?? null;
  const better = used === null ? null : betterUnit(used, values[0] ?? 0);
  const advice =
    better === null ? "look at its unit" : `read as ${better} they would be of our time: say unit: ${better}`;
  const year = new Date(Math.min(values[0] ?? 0, 8.64e15)).getUTCFullYear();
  const text = `all values${used === null ? "" : `, read as ${used},`} are of the year ${year}; ${advice}`;
  return [{ code: "unit-doubtful", table: seen.table.name, column: column.name, text }];
}

function betterUnit(used: TimeUnit, ms: number): TimeUnit | null {
  const raw = (ms / 1_000) * (PER_SECOND[used] ?? 1);
  const fits = (["s", "ms", "us", "ns"] as const).filter((one) => {
    const meant = (raw / (PER_SECOND[one] ?? 1)) * 1_000;
    return meant >= EARLY_MS && meant < LATE_MS;
  });
  return fits[0] ?? null;
}

function schema(seen: Seen, column: ColumnPlan): Warning[] {
  const name = seen.schemas.get(column.name) ?? "";
  const claimed = CONNECT_UNITS[name];
  if (claimed === undefined || column.unit === null || claimed === column.unit) return [];
  const text = `the embedded schema says ${name} (${claimed}), the pipeline says ${column.unit}; the pipeline counts`;
  return [{ code: "schema-contradicts", table: seen.table.name, column: column.name, text }];
}

function undeclared(table: string, column: string): Warning {
  const text = "records carry it, though it is not declared; it is left out";
  return { code: "undeclared-column", table, column, text };
}

function missing(table: string, column: string): Warning {
  const text = "it is declared, and no record carries it";
  return { code: "column-never-seen", table, column, text };
}
