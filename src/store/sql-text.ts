/** Encodings whose order in SQL (by bytes) is the order of their originals. */

const UNSAFE = /[\u0000\p{Cs}\u{10f000}]/gu;
const STORED_UNSAFE = /\u{10f000}(.)/gsu;
const MARK = "\u{10f000}";
const MARK_POINT = 0x10f000;
const UNSAFE_BASE = 0x100000;

/** A text as stored: itself, but that a lone surrogate, which UTF-8 cannot say, and NUL are written in private characters. */
export function storedText(text: string): string {
  return text.replace(UNSAFE, (found) => {
    const point = found.codePointAt(0) ?? 0;
    return MARK + (point === MARK_POINT ? MARK : String.fromCodePoint(UNSAFE_BASE + point));
  });
}

/** The original of a stored text. */
export function originalText(stored: string): string {
  return stored.includes(MARK)
    ? stored.replace(STORED_UNSAFE, (_, found: string) =>
        found === MARK ? MARK : String.fromCharCode((found.codePointAt(0) ?? 0) - UNSAFE_BASE),
      )
    : stored;
}

const DECIMAL = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,4}))?$/;
const EXPONENT_ZERO = 5_000_000;

/** A decimal as text that sorts by value; equal values have equal keys whatever their trailing zeros. Null for what is no number. */
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
