/** Exact decimals as text: no float anywhere between the record and the stored value. */

const DECIMAL = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,4}))?$/;
const MAX_DIGITS = 1_000;

/** A decimal text in plain notation, `-0` and leading zeros gone, fraction digits kept; null when the text is not a decimal. */
export function plainDecimal(text: string): string | null {
  if (isCanonical(text)) return text;
  const found = DECIMAL.exec(text);
  if (found === null) return null;
  const [, sign = "", whole = "", fraction = "", exponent = "0"] = found;
  if (whole === "" && fraction === "") return null;
  const point = whole.length + Number(exponent);
  if (Math.abs(point) + whole.length + fraction.length > MAX_DIGITS) return null;
  return join(sign === "-", whole + fraction, point);
}

/** The same decimal with exactly `scale` digits after the point; null when that would drop a digit that is not zero. */
export function rescale(decimal: string, scale: number): string | null {
  if (decimal === "NaN") return decimal;
  const point = decimal.indexOf(".");
  const whole = point < 0 ? decimal : decimal.slice(0, point);
  const fraction = point < 0 ? "" : decimal.slice(point + 1);
  if (fraction.length === scale) return decimal;
  if (fraction.length < scale) return `${whole}.${fraction.padEnd(scale, "0")}`;
  for (let at = scale; at < fraction.length; at++) if (fraction[at] !== "0") return null;
  const kept = scale === 0 ? whole : `${whole}.${fraction.slice(0, scale)}`;
  return isNegativeZero(kept) ? kept.slice(1) : kept;
}

/** The same decimal without trailing fraction zeros: one text per number, as row keys need. */
export function trimDecimal(decimal: string): string {
  return decimal.includes(".") ? decimal.replace(/\.?0+$/, "") : decimal;
}

/** An integer text in plain digits; null when the decimal is no integer. */
export function plainInteger(text: string): string | null {
  const decimal = plainDecimal(text);
  return decimal === null ? null : rescale(decimal, 0);
}

/**
 * The decimal that Kafka Connect sends as big-endian two's complement bytes;
 * `scale` counts its fraction digits and may be negative.
 */
export function decimalOfBytes(bytes: Uint8Array, scale: number): string {
  const unscaled = BigInt.asIntN(8 * bytes.length, bytes.length === 0 ? 0n : BigInt(`0x${hex(bytes)}`));
  const negative = unscaled < 0n;
  const digits = (negative ? -unscaled : unscaled).toString();
  return join(negative, digits, digits.length - scale);
}

/** Puts the point after `point` digits; keeps every fraction digit. */
function join(negative: boolean, digits: string, point: number): string {
  let whole = point > 0 ? digits.slice(0, point).padEnd(point, "0") : "";
  const fraction = point >= 0 ? digits.slice(point) : digits.padStart(digits.length - point, "0");
  whole = whole.replace(/^0+/, "");
  const plain = `${whole === "" ? "0" : whole}${fraction === "" ? "" : `.${fraction}`}`;
  return negative && /[1-9]/.test(plain) ? `-${plain}` : plain;
}

/** A cheap yes for what is plain already: most decimals pass through untouched. */
function isCanonical(text: string): boolean {
  let at = text.charCodeAt(0) === 0x2d ? 1 : 0;
  const start = at;
  let point = -1;
  for (; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x2e && point < 0 && at > start) point = at;
    else if (code < 0x30 || code > 0x39) return false;
  }
  const wholeEnd = point < 0 ? text.length : point;
  if (wholeEnd === start || point === text.length - 1) return false;
  if (text.charCodeAt(start) === 0x30 && wholeEnd - start > 1) return false;
  return start === 0 || !isNegativeZero(text);
}

function isNegativeZero(text: string): boolean {
  return text.startsWith("-") && !/[1-9]/.test(text);
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex");
}
