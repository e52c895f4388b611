/**
 * Exact numbers for conditions and expressions: decimals as integers with a scale, instants as nanoseconds.
 * Money never passes through a binary fraction here.
 */

/** A decimal: `units` times 10 to the power of minus `scale`. Not finite ones carry `special` instead. */
export class Decimal {
  readonly units: bigint;
  readonly scale: number;
  /** NaN or an infinity, which decimals of PostgreSQL may be; null for ordinary numbers. */
  readonly special: number | null;
  constructor(units: bigint, scale: number, special: number | null = null) {
    this.units = units;
    this.scale = scale;
    this.special = special;
  }
}

/** Digits after the point that a division is worked out to. */
const QUOTIENT_DIGITS = 12;
/** A scale beyond this is a typing error or an attack, not money. */
const MAX_SCALE = 400;

const DECIMAL = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/;

/** Reads the text of a decimal; null when it is none. */
export function decimalOf(text: string): Decimal | null {
  const match = DECIMAL.exec(text);
  if (match === null) return notFinite(text);
  const [, sign = "", whole = "", fraction = "", exponent = "0"] = match;
  if (whole === "" && fraction === "") return null;
  const scale = fraction.length - Number(exponent);
  if (Math.abs(scale) > MAX_SCALE) return null;
  const units = BigInt(`${whole}${fraction}`) * (scale < 0 ? 10n ** BigInt(-scale) : 1n);
  return new Decimal(sign === "-" ? -units : units, Math.max(scale, 0));
}

function notFinite(text: string): Decimal | null {
  if (/^nan$/i.test(text)) return new Decimal(0n, 0, Number.NaN);
  if (/^\+?inf(inity)?$/i.test(text)) return new Decimal(0n, 0, Number.POSITIVE_INFINITY);
  if (/^-inf(inity)?$/i.test(text)) return new Decimal(0n, 0, Number.NEGATIVE_INFINITY);
  return null;
}

/** Any number as a decimal. A double is taken at its shortest text, so that 0.1 means one tenth. */
export function toDecimal(value: Decimal | bigint | number): Decimal {
  if (typeof value === "bigint") return new Decimal(value, 0);
  if (typeof value !== "number") return value;
  return decimalOf(String(value)) ?? new Decimal(0n, 0, Number.NaN);
}

function approximate(value: Decimal): number {
  return value.special ?? Number(value.units) / 10 ** value.scale;
}

/** Negative, zero or positive as `a` is below, equal to or above `b`; NaN when either is NaN. */
export function compareDecimals(a: Decimal, b: Decimal): number {
  if (a.special !== null || b.special !== null) {
    const [x, y] = [a.special ?? 0, b.special ?? 0];
    return Number.isNaN(x) || Number.isNaN(y) ? Number.NaN : Math.sign(x === y ? 0 : x < y ? -1 : 1);
  }
  const [x, y] = level(a, b);
  return x < y ? -1 : x > y ? 1 : 0;
}

function level(a: Decimal, b: Decimal): readonly [bigint, bigint] {
  if (a.scale === b.scale) return [a.units, b.units];
  if (a.scale < b.scale) return [a.units * 10n ** BigInt(b.scale - a.scale), b.units];
  return [a.units, b.units * 10n ** BigInt(a.scale - b.scale)];
}

/** The four operations; sums, differences and products are exact, quotients have 12 digits. Null for a division by zero. */
export function calculate(op: "+" | "-" | "*" | "/", a: Decimal, b: Decimal): Decimal | null {
  if (a.special !== null || b.special !== null) return calculateSpecial(op, approximate(a), approximate(b));
  if (op === "*") return new Decimal(a.units * b.units, a.scale + b.scale);
  const scale = Math.max(a.scale, b.scale);
  const [x, y] = level(a, b);
  if (op === "+") return new Decimal(x + y, scale);
  if (op === "-") return new Decimal(x - y, scale);
  if (y === 0n) return null;
  return new Decimal(divideRounded(x * 10n ** BigInt(QUOTIENT_DIGITS), y), QUOTIENT_DIGITS);
}

function calculateSpecial(op: "+" | "-" | "*" | "/", x: number, y: number): Decimal | null {
  if (op === "/" && y === 0) return null;
  const result = op === "+" ? x + y : op === "-" ? x - y : op === "*" ? x * y : x / y;
  return Number.isFinite(result) ? toDecimal(result) : new Decimal(0n, 0, result);
}

/** Integer quotient, a half rounded away from zero. */
export function divideRounded(dividend: bigint, divisor: bigint): bigint {
  const negative = dividend < 0n !== divisor < 0n;
  const [x, y] = [dividend < 0n ? -dividend : dividend, divisor < 0n ? -divisor : divisor];
  const rounded = (2n * x + y) / (2n * y);
  return negative ? -rounded : rounded;
}

/** The canonical text of a decimal with exactly `scale` digits after the point, a half rounded away from zero. */
export function decimalText(value: Decimal, scale: number): string {
  if (value.special !== null) return String(value.special);
  const shift = scale - value.scale;
  const units =
    shift >= 0 ? value.units * 10n ** BigInt(shift) : divideRounded(value.units, 10n ** BigInt(-shift));
  const digits = (units < 0n ? -units : units).toString().padStart(scale + 1, "0");
  const sign = units < 0n ? "-" : "";
  if (scale === 0) return `${sign}${digits}`;
  return `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}
