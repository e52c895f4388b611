/**
 * Texts as MongoDB can keep them. BSON is UTF-8, which cannot say lone surrogates; its field names end at a NUL, and in a
 * path `.` and `$` mean something. And servers that speak the protocol do not agree on the order of texts: MongoDB compares
 * bytes, others UTF-16 units. So ids and whatever is ordered are written without any unit on which the two differ.
 */

/** What nearly every id and key is, found out much faster than by looking for what is unsafe. */
const PLAIN = /^[ -~]*$/;
const UNORDERED = /[\ud800-\udfff\ufff0-\uffff]/g;
const ORDERED = /\ufff0([\ufff2-\ufff9]{2})|\ufff1([\ufff2-\ufff9]{4})/g;
/** Begins an escape: of a unit from here on, or of a surrogate, which sorts after everything else. */
const HIGH = 0xfff0;
const SURROGATE = 0xfff1;
/** The digits of an escape; none of them, nor its beginning, stands for itself, so what contains what stays as it was. */
const DIGIT = 0xfff2;
const FIRST_SURROGATE = 0xd800;

function escaped(found: string): string {
  const unit = found.charCodeAt(0);
  return unit >= HIGH
    ? String.fromCharCode(HIGH) + digits(unit - HIGH, 2)
    : String.fromCharCode(SURROGATE) + digits(unit - FIRST_SURROGATE, 4);
}

function digits(value: number, count: number): string {
  let out = "";
  for (let at = count - 1; at >= 0; at--) out += String.fromCharCode(DIGIT + ((value >> (3 * at)) & 7));
  return out;
}

function original(_: string, high: string | undefined, surrogate: string | undefined): string {
  const base = high === undefined ? FIRST_SURROGATE : HIGH;
  let value = 0;
  for (const digit of high ?? surrogate ?? "") value = value * 8 + digit.charCodeAt(0) - DIGIT;
  return String.fromCharCode(base + value);
}

/** A text as an id, or to be ordered: one to one, and in the order of `compareText` on every server. */
export function orderedText(text: string): string {
  return PLAIN.test(text) ? text : text.replace(UNORDERED, escaped);
}

/** The original of an ordered text. */
export function originalOf(ordered: string): string {
  return PLAIN.test(ordered) ? ordered : ordered.replace(ORDERED, original);
}

const LONE = /\p{Cs}/u;
/** Begins a text that is kept as ordered text, for it is not well formed or begins so itself. */
const MARK = "\ufff1";

/** A text as a value: itself, unless UTF-8 cannot say it. */
export function keptText(text: string): string {
  return PLAIN.test(text) || !(LONE.test(text) || text.startsWith(MARK)) ? text : MARK + orderedText(text);
}

/** The original of a kept text. */
export function textOf(kept: string): string {
  return kept.startsWith(MARK) ? originalOf(kept.slice(1)) : kept;
}

const PLAIN_NAME = /^[ !"#&-\-/-~]+$/;
const UNSAFE_NAME = /[\u0000%.$]|\p{Cs}/gu;
const ESCAPED_NAME = /%([0-9a-f]{4})/g;
const PROTO = "__proto__";

/** Any text as the name of a field: what cannot be part of one is written as `%` and four hexadecimal digits. */
export function fieldName(name: string): string {
  if (name === "") return "%";
  if (name === PROTO) return "%005f_proto__";
  return PLAIN_NAME.test(name)
    ? name
    : name.replace(UNSAFE_NAME, (unit) => `%${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** The original of a field's name. */
export function nameOf(field: string): string {
  if (!field.includes("%")) return field;
  return field === "%"
    ? ""
    : field.replace(ESCAPED_NAME, (_, digitsOf: string) =>
        String.fromCharCode(Number.parseInt(digitsOf, 16)),
      );
}
