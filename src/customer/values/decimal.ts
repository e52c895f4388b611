/**
 * Exact decimals as text. Amounts are summed as integers in units of 10^-scale ("12.34" at scale 2 is "1234"), so that adding
 * and taking away are exact in any order; small ones take the short way through numbers, where they are exact as well.
 */

/** Digits that a number holds exactly, with room to spare. */
const SAFE_DIGITS = 15;

const DECIMAL = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,4}))?$/;

const PLAIN = /^-?\d+(?:\.\d+)?$/;

/** True for decimals that a number holds exactly. */
function isShort(text: string): boolean {
  return text.length <= SAFE_DIGITS && PLAIN.test(text);
}

interface Parsed {
  readonly units: bigint;
  readonly scale: number;
}

function parse(text: string): Parsed | null {
  const match = DECIMAL.exec(text);
  if (match === null) return null;
  const [, sign, whole = "", fraction = "", exponent = "0"] = match;
  if (whole === "" && fraction === "") return null;
  const units = BigInt(whole + fraction);
  const scale = fraction.length - Number(exponent);
  const signed = sign === "-" ? -units : units;
  return scale >= 0 ? { units: signed, scale } : { units: signed * 10n ** BigInt(-scale), scale: 0 };
}

/** Divides, rounding half away from zero. */
function divide(dividend: bigint, divisor: bigint): bigint {
  const twice = 2n * dividend;
  return (dividend < 0n ? twice - divisor : twice + divisor) / (2n * divisor);
}

/** The value in units of 10^-scale as integer text, rounded half away from zero; null for what is not a finite number. */
export function scaled(value: string | number, scale: number): string | null {
  if (typeof value === "number" && scale === 0 && Number.isSafeInteger(value)) return String(value);
  const text = String(value);
  if (isShort(text)) {
    const point = text.indexOf(".");
    const short = Math.round(Number(text) * 10 ** scale);
    const isExact = point < 0 || text.length - point - 1 <= scale;
    if (isExact && Math.abs(short) < 10 ** SAFE_DIGITS) return String(short);
  }
  const parsed = parse(text);
  if (parsed === null) return null;
  const shift = scale - parsed.scale;
  return String(
    shift >= 0 ? parsed.units * 10n ** BigInt(shift) : divide(parsed.units, 10n ** BigInt(-shift)),
  );
}

/** The sum of two integer texts. */
export function addUnits(a: string, b: string): string {
  return a.length <= SAFE_DIGITS && b.length <= SAFE_DIGITS
    ? String(Number(a) + Number(b))
    : String(BigInt(a) + BigInt(b));
}

/** The difference of two integer texts. */
export function subtractUnits(a: string, b: string): string {
  return a.length <= SAFE_DIGITS && b.length <= SAFE_DIGITS
    ? String(Number(a) - Number(b))
    : String(BigInt(a) - BigInt(b));
}

/** Integer text in units of 10^-scale as decimal text with exactly `scale` digits after the point. */
export function fromUnits(units: string, scale: number): string {
  if (scale === 0) return units;
  const negative = units.startsWith("-");
  const digits = (negative ? units.slice(1) : units).padStart(scale + 1, "0");
  const point = digits.length - scale;
  return `${negative ? "-" : ""}${digits.slice(0, point)}.${digits.slice(point)}`;
}

/** The mean of `count` values that sum up to `units`, in the same units, rounded half away from zero. */
export function meanUnits(units: string, count: number): string {
  return String(divide(BigInt(units), BigInt(count)));
}

function infinite(text: string): number {
  return text === "Infinity" ? 1 : text === "-Infinity" ? -1 : 0;
}

/** Orders two decimal texts exactly; null when one of them is not a number. */
export function compareDecimals(a: string, b: string): number | null {
  if (isShort(a) && isShort(b)) {
    const [left, right] = [Number(a), Number(b)];
    return left < right ? -1 : left > right ? 1 : 0;
  }
  const x = parse(a);
  const y = parse(b);
  if (x === null || y === null) {
    if ((x === null && infinite(a) === 0) || (y === null && infinite(b) === 0)) return null;
    return infinite(a) - infinite(b);
  }
  const scale = Math.max(x.scale, y.scale);
  const left = x.units * 10n ** BigInt(scale - x.scale);
  const right = y.units * 10n ** BigInt(scale - y.scale);
  return left < right ? -1 : left > right ? 1 : 0;
}
