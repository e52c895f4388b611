import { Instant, instantOf } from "./instants.ts";
import type { Kind } from "./kinds.ts";
import { Decimal, calculate, compareDecimals, decimalOf, toDecimal } from "./numbers.ts";

/**
 * A value while a condition runs: stored values as they are (decimals and timestamps as text), exact classes for what
 * was computed. `undefined` is CEL's error: a comparison with null, an overflow, a division by zero.
 */
export type Val = boolean | string | number | bigint | Decimal | Instant | null | undefined | readonly Val[];

/** Compares two present values of a kind: negative, zero, positive, or NaN when they have no order. */
export type Compare = (a: Val, b: Val) => number;

/** Doubles tell decimals of at most this many digits apart, in their right order. */
const DOUBLE_DIGITS = 15;
const INT64_LIMIT = 2n ** 63n;

function isNumeric(kind: Kind): boolean {
  return kind === "int" || kind === "double" || kind === "decimal";
}

/** The kind two operands meet in, or null when they do not compare or compute with each other. */
export function meet(a: Kind, b: Kind): Kind | null {
  if (a === "any" || b === "any") return "any";
  if (a === "null") return b;
  if (b === "null" || a === b) return a;
  if (isNumeric(a) && isNumeric(b)) return a === "decimal" || b === "decimal" ? "decimal" : "double";
  if ((a === "date" && b === "string") || (a === "string" && b === "date")) return "date";
  return null;
}

/** How values of a kind are ordered. */
export function comparer(kind: Kind): Compare {
  if (kind === "decimal") return compareExact;
  if (kind === "instant") return compareInstants;
  if (kind === "date") return compareDates;
  return comparePlain;
}

function comparePlain(a: Val, b: Val): number {
  const [x, y] = [a as number, b as number];
  return x < y ? -1 : x > y ? 1 : x >= y ? 0 : Number.NaN;
}

/** Exact whatever the operands are; short decimal texts take the way over doubles, which keeps their order. */
function compareExact(a: Val, b: Val): number {
  const x = short(a);
  const y = short(b);
  if (x < y) return -1;
  if (x > y) return 1;
  return x === y ? 0 : compareDecimals(exact(a), exact(b));
}

/** The value as a double, where that keeps the order; else NaN, which compares with nothing. */
function short(value: Val): number {
  if (typeof value === "number")
    return Number.isSafeInteger(value) && value <= 1e15 && value >= -1e15 ? value : Number.NaN;
  return typeof value === "string" && value.length <= DOUBLE_DIGITS ? Number(value) : Number.NaN;
}

/** Any number value as an exact decimal. */
export function exact(value: Val): Decimal {
  if (value instanceof Decimal) return value;
  if (typeof value === "string") return decimalOf(value) ?? new Decimal(0n, 0, Number.NaN);
  return toDecimal(typeof value === "bigint" ? value : Number(value));
}

function compareInstants(a: Val, b: Val): number {
  if (typeof a === "string" && typeof b === "string") {
    if (a === b) return 0;
    // Within the years 0000 to 9999 canonical texts sort like their instants once the Z is off: fractions have no trailing zeros.
    if (isOrdinary(a) && isOrdinary(b)) return a.slice(0, -1) < b.slice(0, -1) ? -1 : 1;
  }
  const [x, y] = [instant(a), instant(b)];
  if (x === null || y === null) return Number.NaN;
  return x.ns < y.ns ? -1 : x.ns > y.ns ? 1 : 0;
}

/** Years beyond 9999 or before 0000 are written with a sign, and do not sort as text. */
function compareDates(a: Val, b: Val): number {
  return [a, b].every((date) => String(date).charCodeAt(4) === 45)
    ? comparePlain(a, b)
    : compareInstants(a, b);
}

function isOrdinary(text: string): boolean {
  return text.charCodeAt(4) === 45 && text.charCodeAt(0) !== 45 && text.endsWith("Z");
}

/** A timestamp value as an instant; null when it is none. */
export function instant(value: Val): Instant | null {
  if (value instanceof Instant) return value;
  return typeof value === "string" ? instantOf(value) : null;
}

/** The operation on two present numbers of a kind; undefined for an overflow or a division by zero, as in CEL. */
export function arithmetic(op: "+" | "-" | "*" | "/" | "%", kind: Kind): ((a: Val, b: Val) => Val) | null {
  if (kind === "int") return (a, b) => integers(op, a as number | bigint, b as number | bigint);
  if (op === "%") return null;
  if (kind === "double") return (a, b) => doubles(op, Number(a), Number(b));
  if (kind === "decimal") return (a, b) => calculate(op, exact(a), exact(b)) ?? undefined;
  if (kind === "string" && op === "+") return (a, b) => String(a) + String(b);
  return null;
}

function doubles(op: "+" | "-" | "*" | "/", a: number, b: number): number {
  return op === "+" ? a + b : op === "-" ? a - b : op === "*" ? a * b : a / b;
}

function integers(op: "+" | "-" | "*" | "/" | "%", a: number | bigint, b: number | bigint): Val {
  if (typeof a === "number" && typeof b === "number" && op !== "/" && op !== "%") {
    const quick = doubles(op, a, b);
    // Integers have no negative zero, and a division would tell it apart.
    if (Number.isSafeInteger(quick)) return quick + 0;
  }
  const [x, y] = [BigInt(a), BigInt(b)];
  if ((op === "/" || op === "%") && y === 0n) return undefined;
  if (op === "/") return x / y;
  if (op === "%") return x % y;
  const result = op === "+" ? x + y : op === "-" ? x - y : x * y;
  return result < INT64_LIMIT && result >= -INT64_LIMIT ? result : undefined;
}
