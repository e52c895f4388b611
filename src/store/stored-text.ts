/** Encodings whose order in SQL (by bytes) is the order of their originals. */

const UNSAFE = /[\u0000\u0001\p{Cs}\u{10f000}-\u{10f002}]/gu;
const STORED_UNSAFE = /\u0001([\u{10f001}\u{10f002}])|\u{10f000}(.)/gsu;
/** What nearly every id and key is, found out much faster than by looking for what is unsafe. */
const PLAIN = /^[ -~]*$/;
const LOW = 0x10f001;
const HIGH = 0x10f000;
/** Surrogates are written this much higher, and our own marks just above where those end. */
const SHIFT = 0x100000;
const MARKS = 0x10e000;

function escaped(found: string): string {
  const point = found.codePointAt(0) ?? 0;
  if (point <= 1) return `\u0001${String.fromCodePoint(LOW + point)}`;
  return String.fromCodePoint(HIGH, point < HIGH ? point + SHIFT : point - HIGH + MARKS);
}

function unescaped(_: string, low: string | undefined, high: string | undefined): string {
  if (low !== undefined) return String.fromCodePoint((low.codePointAt(0) ?? 0) - LOW);
  const point = high?.codePointAt(0) ?? 0;
  return String.fromCodePoint(point < MARKS ? point - SHIFT : point - MARKS + HIGH);
}

/**
 * A text as stored: itself, but for NUL, which ends texts in some SQL functions, and lone surrogates, which UTF-8 cannot say.
 * One to one, and in the order of `compareText`.
 */
export function storedText(text: string): string {
  return PLAIN.test(text) ? text : text.replace(UNSAFE, escaped);
}

/** The original of a stored text. */
export function originalText(stored: string): string {
  return stored.replace(STORED_UNSAFE, unescaped);
}

const DECIMAL = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,4}))?$/;
const EXPONENT_ZERO = 5_000_000;

/**
 * A decimal as text that sorts by value; equal values have equal keys whatever their trailing zeros.
 * Null for what is no number.
 */
export function decimalKey(text: string): string | null {
  if (text === "Infinity") return "3";
  if (text === "-Infinity") return "+";
  const match = DECIMAL.exec(text);
  if (match === null) return null;
  const [, sign, whole = "", fraction = "", power = "0"] = match;
  if (whole === "" && fraction === "") return null;
  const digits = `${whole}${fraction}`.replace(/^0+/, "");
  if (digits === "") return "1";
  const exponent = Number(power) + digits.length - fraction.length;
  const scale = String(exponent + EXPONENT_ZERO);
  const significant = digits.replace(/0+$/, "");
  return sign === "-" ? `0${complement(scale)}${complement(significant)}~` : `2${scale}${significant}`;
}

function complement(digits: string): string {
  let out = "";
  for (const digit of digits) out += String(9 - Number(digit));
  return out;
}
