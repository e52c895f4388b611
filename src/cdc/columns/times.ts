import type { TimeUnit } from "../table.ts";
import {
  DAY_SECONDS,
  clockText,
  dateText,
  daysOf,
  instantText,
  secondsOf,
  trimFraction,
} from "./calendar.ts";
import type { Instant } from "./calendar.ts";
import { inOnePiece } from "./one-piece.ts";
import { zoneSeconds } from "./time-format.ts";

const ISO =
  /^([+-]\d{4,6}|\d{4,6})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9})\d*)?)?)?\s*(Z|z|UTC|[+-]\d{2}(?::?\d{2}(?::?\d{2})?)?)?( BC)?$/;
const CLOCK = /^(\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?\s*(Z|z|[+-]\d{2}(?::?\d{2})?)?$/;
// Far enough for every database (PostgreSQL ends in 294276), near enough for six digits of year.
const MAX_SECONDS = 31_556_889_864_403;
const PER_SECOND: Readonly<Record<"s" | "ms" | "us" | "ns", number>> = { s: 0, ms: 3, us: 6, ns: 9 };

/** Reads an ISO text, with `T` or a blank, with or without a zone (without: UTC) or a clock; null when it is none. */
export function readIso(text: string): Instant | null {
  const found = ISO.exec(text);
  if (found === null) return null;
  const [, year = "", month, day, hours = "0", minutes = "0", seconds = "0", fraction = "", zone = "Z", era] =
    found;
  const days = daysOf(era === undefined ? Number(year) : 1 - Number(year), Number(month), Number(day));
  const clock = secondsOf(Number(hours), Number(minutes), Number(seconds));
  const offset = zone === "UTC" ? 0 : zoneSeconds(zone);
  if (days === null || clock === null || offset === null) return null;
  return { seconds: days * DAY_SECONDS + clock - offset, fraction: trimFraction(fraction) };
}

/** Reads `23:59:59.999999`, with a zone brought to UTC; null when it is no time of day. */
export function readClock(text: string): string | null {
  const found = CLOCK.exec(text);
  if (found === null) return null;
  const [, hours, minutes, seconds = "0", fraction = "", zone = "Z"] = found;
  const clock = secondsOf(Number(hours), Number(minutes), Number(seconds));
  const offset = zoneSeconds(zone);
  if (clock === null || offset === null) return null;
  const utc = offset === 0 ? clock : (clock - offset + 2 * DAY_SECONDS) % DAY_SECONDS;
  return clockText(utc, trimFraction(fraction));
}

/** The instant an integer (its digits) stands for in that unit; null beyond the years we can write. */
export function instantOfInteger(digits: string, unit: TimeUnit): Instant | null {
  if (unit === "days") return bounded(Number(digits) * DAY_SECONDS, "");
  const places = PER_SECOND[unit];
  const negative = digits.startsWith("-");
  const bare = (negative ? digits.slice(1) : digits).padStart(places + 1, "0");
  const whole = Number(bare.slice(0, bare.length - places));
  const fraction = bare.slice(bare.length - places);
  if (!negative || !/[1-9]/.test(fraction))
    return bounded(negative ? 0 - whole : whole, trimFraction(fraction));
  const borrowed = String(10 ** places - Number(fraction)).padStart(places, "0");
  return bounded(-whole - 1, trimFraction(borrowed));
}

/** The infinities of PostgreSQL as its connector sends them in numbers; null for an ordinary number. */
export function infinityOf(digits: string): "infinity" | "-infinity" | null {
  switch (digits) {
    case "9223372036825200000":
    case "9223372036825200":
    case "9223372036854775807":
      return "infinity";
    case "-9223372036832400000":
    case "-9223372036832400":
    case "-9223372036854775808":
      return "-infinity";
    default:
      return null;
  }
}

/** The same in a date's days, which the connector cuts to 32 bits: days no calendar of PostgreSQL's can reach. */
export function infiniteDate(days: number): "infinity" | "-infinity" | null {
  if (days === -622_191_234) return "infinity";
  return days === 622_191_232 || days === 622_191_233 ? "-infinity" : null;
}

/** The infinities as texts. */
export function infinityText(text: string): "infinity" | "-infinity" | null {
  if (text.length > 9) return null;
  const lower = text.toLowerCase();
  if (lower === "infinity" || lower === "+infinity") return "infinity";
  return lower === "-infinity" ? lower : null;
}

/** Canonical text of an instant that ISO text stands for; texts that are all but canonical take the short way. */
export function canonicalInstant(text: string): string | null {
  if (isPlainInstant(text)) return withoutTrailingZeros(text);
  const instant = readIso(text);
  return instant === null ? null : instantText(instant);
}

/** Canonical date of an instant. */
export function dateOfInstant(instant: Instant): string {
  return dateText(Math.floor(instant.seconds / DAY_SECONDS));
}

/** Canonical time of day of an instant. */
export function clockOfInstant(instant: Instant): string {
  const days = Math.floor(instant.seconds / DAY_SECONDS);
  return clockText(instant.seconds - days * DAY_SECONDS, instant.fraction);
}

function bounded(seconds: number, fraction: string): Instant | null {
  return Math.abs(seconds) <= MAX_SECONDS ? { seconds: seconds === 0 ? 0 : seconds, fraction } : null;
}

/** `YYYY-MM-DDTHH:MM:SS[.f]Z` with a real date and clock. */
function isPlainInstant(text: string): boolean {
  const length = text.length;
  if (length < 20 || length > 30 || text.charCodeAt(length - 1) !== 0x5a) return false;
  if (text.charCodeAt(10) !== 0x54 || text.charCodeAt(13) !== 0x3a || text.charCodeAt(16) !== 0x3a)
    return false;
  if (text.charCodeAt(4) !== 0x2d || text.charCodeAt(7) !== 0x2d) return false;
  const month = twoDigits(text, 5);
  const day = twoDigits(text, 8);
  // Days beyond the 28th take the long way: only the calendar knows.
  if (!(month >= 1 && month <= 12 && day >= 1 && day <= 28)) return false;
  if (!(twoDigits(text, 0) >= 0 && twoDigits(text, 2) >= 0)) return false;
  if (!(twoDigits(text, 11) <= 23 && twoDigits(text, 14) <= 59 && twoDigits(text, 17) <= 59)) return false;
  return length === 20 || isFraction(text, length);
}

function isFraction(text: string, length: number): boolean {
  if (text.charCodeAt(19) !== 0x2e || length === 21) return false;
  for (let at = 20; at < length - 1; at++) if (digit(text, at) < 0) return false;
  return true;
}

function withoutTrailingZeros(text: string): string {
  if (text.length === 20 || text.charCodeAt(text.length - 2) !== 0x30) return text;
  let end = text.length - 2;
  while (text.charCodeAt(end - 1) === 0x30) end--;
  return inOnePiece(text.slice(0, end === 20 ? 19 : end), "Z", "");
}

/** Two digits as a number; NaN, which no comparison accepts, when they are none. */
function twoDigits(text: string, at: number): number {
  const tens = digit(text, at);
  const ones = digit(text, at + 1);
  return tens < 0 || ones < 0 ? Number.NaN : tens * 10 + ones;
}

function digit(text: string, at: number): number {
  const code = text.charCodeAt(at) - 0x30;
  return code >= 0 && code <= 9 ? code : -1;
}
