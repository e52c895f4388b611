import type { Position, Value } from "../change.ts";
import { trimDecimal } from "../columns/decimals.ts";
import { inOnePiece } from "../columns/one-piece.ts";
import type { ColumnPlan, ColumnType } from "../table.ts";

/**
 * Positions: texts that sort with plain `<` like the order they stand for.
 *
 *   epoch (4 digits) "." components, one after the other "." rank
 *
 * Each component ends by itself, so a longer one never disturbs the next:
 * - integer: `1`, the count of its digits (2 digits), its digits; a negative one `0`, then both in nines' complement.
 *     7 -> 1017    42 -> 10242    -42 -> 09757    26718520 -> 10826718520
 * - decimal: as an integer, then the fraction without trailing zeros, ended by `!` (negative: complement, ended by `~`).
 *     1.50 -> 10115!    -1.5 -> 09884~
 * - timestamp and date: `1` and the fixed-width digits, fractions to nanoseconds; years beyond 9999 `2`, before 0 `0`.
 *     2024-05-17T10:00:00.5Z -> 120240517100000500000000
 * - text: itself, ended by `!`; characters up to `"` are escaped so that the end sorts first.
 *     ab -> ab!
 * Rank: `1` for a streamed change, `0` for a row read by a snapshot, which never beats a streamed one at the same place.
 *
 * PostgreSQL's lsn 26718520 in epoch 0, streamed: 0000.10826718520.1
 */
export function positionOf(epoch: string, components: string, isSnapshot: boolean): Position {
  return inOnePiece(epoch, ".", components, isSnapshot ? ".0" : ".1");
}

/** The position of a single integer component, given as its digits; null where `integerComponent` is. */
export function integerPosition(epoch: string, digits: string, isSnapshot: boolean): Position | null {
  const size = SIZES[digits.length];
  const rank = isSnapshot ? ".0" : ".1";
  if (size !== undefined && isDigits(digits)) return inOnePiece(epoch, size, digits, rank);
  const component = integerComponent(digits);
  return component === null ? null : positionOf(epoch, component, isSnapshot);
}

/** What comes between the epoch and so many digits. */
const SIZES: readonly string[] = Array.from(
  { length: 99 },
  (_, digits) => `.1${digits < 10 ? "0" : ""}${digits}`,
);

/** The epoch's four digits. */
export function epochText(epoch: number): string {
  return String(epoch).padStart(4, "0");
}

/** Encodes one component of a position; null when the value cannot be placed in an order (NaN, infinities). */
export type ComponentEncoder = (value: Value) => string | null;

/** The encoder of a sequence column. Throws when a type cannot order rows: the plan should have refused it. */
export function compileComponent(column: ColumnPlan): ComponentEncoder {
  const encode = column.list ? undefined : ENCODERS[column.type];
  if (encode === undefined) throw new Error(`column ${column.name}: ${column.type} cannot order rows`);
  return encode;
}

/** An integer given as its digits; null when it is none or longer than 98 digits. */
export function integerComponent(digits: string): string | null {
  const negative = digits.charCodeAt(0) === 0x2d;
  const bare = negative ? digits.slice(1) : digits;
  if (bare.length > 98 || !isDigits(bare)) return null;
  const sized = `${bare.length < 10 ? "0" : ""}${bare.length}${bare}`;
  return negative ? `0${complement(sized)}` : `1${sized}`;
}

const ENCODERS: { readonly [T in ColumnType]?: ComponentEncoder } = {
  int: (value) => integerComponent(String(value)),
  bigint: (value) => integerComponent(String(value)),
  decimal: (value) => decimalComponent(String(value)),
  timestamp: (value) => timeComponent(String(value)),
  date: (value) => timeComponent(String(value)),
  text: (value) => textComponent(String(value)),
  enum: (value) => textComponent(String(value)),
  uuid: (value) => textComponent(String(value)),
};

function decimalComponent(decimal: string): string | null {
  const [whole = "", fraction = ""] = trimDecimal(decimal).split(".");
  const negative = whole.startsWith("-");
  // -0.5 has the whole part -0, which must sort below 0 and above -1.
  const head = integerComponent(whole);
  if (head === null) return null;
  return negative ? `${head}${complement(fraction)}~` : `${head}${fraction}!`;
}

const TIME = /^([+-]?)(\d{4,6})-(\d{2})-(\d{2})(?:T(\d{2}):(\d{2}):(\d{2})(?:\.(\d+))?Z)?$/;

function timeComponent(text: string): string | null {
  const found = TIME.exec(text);
  if (found === null) return null;
  const [
    ,
    sign = "",
    year = "",
    month = "",
    day = "",
    hours = "",
    minutes = "",
    seconds = "",
    fraction = "",
  ] = found;
  const clock = hours === "" ? "" : `${hours}${minutes}${seconds}${fraction.padEnd(9, "0")}`;
  const rest = `${month}${day}${clock}`;
  if (sign === "") return `1${year}${rest}`;
  return sign === "+" ? `2${year}${rest}` : `0${complement(year)}${rest}`;
}

function textComponent(text: string): string {
  return `${text.replace(/[\u0000-"]/g, (c) => `"${String.fromCharCode(0x30 + c.charCodeAt(0))}`)}!`;
}

function complement(digits: string): string {
  let text = "";
  for (let at = 0; at < digits.length; at++) text += String.fromCharCode(0x69 - digits.charCodeAt(at));
  return text;
}

function isDigits(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code < 0x30 || code > 0x39) return false;
  }
  return text.length > 0;
}
