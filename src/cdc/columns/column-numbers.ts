import type { Value } from "../change.ts";
import { Digits, member, type Json } from "../reading/json.ts";
import type { ColumnPlan } from "../table.ts";
import type { FieldSchema } from "./connect-schema.ts";
import { decimalOfBytes, plainDecimal, plainInteger, rescale } from "./decimals.ts";
import { readBytes } from "./encodings.ts";
import { Misfit } from "./values.ts";

/** From a raw value, never null, to the canonical one. */
export type ScalarDecoder = (raw: Json) => Value | Misfit;

const CONNECT_DECIMAL = "org.apache.kafka.connect.data.Decimal";
const MAX_INT = 2_147_483_647;

/** Integers of 32 bits; also as text, and as a number with a fraction of zero. */
export function decodeInt(raw: Json): Value | Misfit {
  if (typeof raw === "number") return inRange(raw);
  const digits = typeof raw === "string" || raw instanceof Digits ? plainInteger(textOf(raw)) : null;
  return digits === null ? new Misfit("is not a whole number") : inRange(Number(digits));
}

/** Integers of any size, as digits. */
export function compileBigint(column: ColumnPlan, schema: FieldSchema | null): ScalarDecoder {
  const decimal = compileDecimal({ ...column, scale: 0 }, schema);
  return (raw) => {
    if (typeof raw === "number") return String(raw);
    const digits = decimal(raw);
    return digits instanceof Misfit || digits === "NaN" ? new Misfit("is not a whole number") : digits;
  };
}

/**
 * Decimals in all three modes of the connector. Bytes need their scale: from the embedded schema, or declared together
 * with `unscaled`; a text without either is read as a number or refused, never taken for bytes.
 */
export function compileDecimal(column: ColumnPlan, schema: FieldSchema | null): ScalarDecoder {
  const bytesScale = scaleOfBytes(column, schema);
  const fit = fitTo(column.scale);
  return (raw) => {
    if (typeof raw === "string")
      return bytesScale === null ? decimalOfText(raw, fit) : ofBytes(raw, bytesScale, fit);
    if (typeof raw === "number") return fit(raw === 0 ? "0" : String(raw));
    if (raw instanceof Digits) return decimalOfText(raw.text, fit);
    const scale = member(raw, "scale");
    const value = member(raw, "value");
    if (typeof scale !== "number" || typeof value !== "string") return new Misfit("is not a decimal");
    return ofBytes(value, scale, fit);
  };
}

/** Doubles and reals; what a number cannot say in JSON comes and stays as text. */
export function decodeFloat(raw: Json): Value | Misfit {
  if (typeof raw === "number") return raw;
  if (typeof raw !== "string" && !(raw instanceof Digits)) return new Misfit("is not a number");
  const text = textOf(raw);
  const special = SPECIAL_FLOATS.get(text.toLowerCase());
  if (special !== undefined) return special;
  const number = plainNumber(text);
  if (number === null) return new Misfit("is not a number");
  return Number.isFinite(number) ? number : new Misfit("does not fit a double");
}

const SPECIAL_FLOATS: ReadonlyMap<string, string> = new Map([
  ["nan", "NaN"],
  ["infinity", "Infinity"],
  ["+infinity", "Infinity"],
  ["-infinity", "-Infinity"],
]);

type Fit = (decimal: string) => Value | Misfit;

function fitTo(scale: number | null): Fit {
  if (scale === null) return (decimal) => decimal;
  return (decimal) => rescale(decimal, scale) ?? new Misfit(`has more than ${scale} digits after the point`);
}

function scaleOfBytes(column: ColumnPlan, schema: FieldSchema | null): number | null {
  if (schema?.type === "bytes") return schema.name === CONNECT_DECIMAL ? schema.scale : null;
  return schema === null && column.unscaled === true ? column.scale : null;
}

function decimalOfText(text: string, fit: Fit): Value | Misfit {
  const decimal = plainDecimal(text);
  if (decimal !== null) return fit(decimal);
  if (text.toLowerCase() === "nan") return "NaN";
  return new Misfit(
    "is not a decimal number; if it is bytes, their scale is not known: embed the schema or send decimals as strings",
  );
}

function ofBytes(base64: string, scale: number, fit: Fit): Value | Misfit {
  if (scale < -MAX_SCALE || scale > MAX_SCALE) return new Misfit("has a scale beyond all reason");
  const bytes = readBytes(base64, "base64");
  // No decimal of any database is longer; the limit keeps the arithmetic bounded.
  if (bytes === null || bytes.length > 1_024) return new Misfit("is not a decimal in base64");
  return fit(decimalOfBytes(bytes, scale));
}

const MAX_SCALE = 20_000;

function inRange(value: number): Value | Misfit {
  return value > MAX_INT || value < -MAX_INT - 1
    ? new Misfit("does not fit 32 bits; declare it bigint")
    : value;
}

function plainNumber(text: string): number | null {
  if (!/^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(text)) return null;
  const number = Number(text);
  return number === 0 ? 0 : number;
}

function textOf(raw: string | Digits): string {
  return typeof raw === "string" ? raw : raw.text;
}
