import type { Value } from "../change.ts";
import { Digits, stringifyLossless, type Json } from "../reading/json.ts";
import type { ColumnPlan } from "../table.ts";
import {
  compileBigint,
  compileDecimal,
  decodeFloat,
  decodeInt,
  type ScalarDecoder,
} from "./column-numbers.ts";
import { compileDate, compileTime, compileTimestamp } from "./column-times.ts";
import type { FieldSchema } from "./connect-schema.ts";
import { base64Of, readBytes } from "./encodings.ts";
import { isPlaceholder, isPlaceholderText } from "./placeholder.ts";
import { Misfit } from "./values.ts";

/**
 * From a raw value, never null, to the canonical one of the column's type; undefined when the value only says that the
 * record does not carry the column (the connector's placeholder); a `Misfit` when it does not fit the type.
 */
export type ColumnDecoder = (raw: Json) => Value | undefined | Misfit;

/** One closure per column and embedded schema, made once: records only run it. Throws on a format the plan should have refused. */
export function compileColumn(column: ColumnPlan, schema: FieldSchema | null): ColumnDecoder {
  if (column.list) return listOf(compileScalar(column, schema?.items ?? null));
  if (column.type === "text" || column.type === "enum") return decodeText;
  const scalar = compileScalar(column, schema);
  return (raw) => {
    if (typeof raw === "string") return isPlaceholderText(raw) ? undefined : scalar(raw);
    return typeof raw === "object" && !(raw instanceof Digits) && isPlaceholder(raw)
      ? undefined
      : scalar(raw);
  };
}

function compileScalar(column: ColumnPlan, schema: FieldSchema | null): ScalarDecoder {
  switch (column.type) {
    case "text":
    case "enum":
      return textOrMisfit;
    case "int":
      return decodeInt;
    case "bigint":
      return compileBigint(column, schema);
    case "decimal":
      return compileDecimal(column, schema);
    case "float":
      return decodeFloat;
    case "boolean":
      return decodeBoolean;
    case "date":
      return compileDate(column, schema);
    case "time":
      return compileTime(column, schema);
    case "timestamp":
      return compileTimestamp(column, schema);
    case "uuid":
      return decodeUuid;
    case "json":
      return (raw) => (typeof raw === "string" ? raw : stringifyLossless(raw));
    case "bytes":
      return compileBytes(schema?.type === "bytes" ? "base64" : column.encoding);
  }
}

function decodeText(raw: Json): Value | undefined | Misfit {
  if (typeof raw === "string") return isPlaceholderText(raw) ? undefined : raw;
  return typeof raw === "object" && isPlaceholder(raw) ? undefined : textOrMisfit(raw);
}

function textOrMisfit(raw: Json): Value | Misfit {
  if (typeof raw === "string") return raw;
  if (raw instanceof Digits) return raw.text;
  return typeof raw === "object" ? new Misfit("is not text") : String(raw === 0 ? 0 : raw);
}

function listOf(element: ScalarDecoder): ColumnDecoder {
  return (raw) => {
    if (isPlaceholder(raw)) return undefined;
    if (!Array.isArray(raw)) return new Misfit("is not an array");
    const list: Value[] = [];
    for (const member of raw as readonly Json[]) {
      const value = member === null ? null : element(member);
      if (value instanceof Misfit) return new Misfit(`has an element that ${value.reason}`);
      list.push(value);
    }
    return list;
  };
}

const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ["true", true],
  ["t", true],
  ["1", true],
  ["false", false],
  ["f", false],
  ["0", false],
]);

function decodeBoolean(raw: Json): Value | Misfit {
  if (typeof raw === "boolean") return raw;
  const text = typeof raw === "string" ? raw.toLowerCase() : typeof raw === "number" ? String(raw) : "";
  return BOOLEANS.get(text) ?? new Misfit("is not a boolean");
}

function decodeUuid(raw: Json): Value | Misfit {
  if (typeof raw === "string" && /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i.test(raw)) {
    return raw.toLowerCase();
  }
  return new Misfit("is not a UUID");
}

function compileBytes(encoding: ColumnPlan["encoding"]): ScalarDecoder {
  return (raw) => {
    const bytes = typeof raw === "string" ? readBytes(raw, encoding) : null;
    return bytes === null ? new Misfit(`is not bytes in ${encoding}`) : base64Of(bytes);
  };
}
