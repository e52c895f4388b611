import { divideRounded } from "./numbers.ts";

/** A point in time, in nanoseconds since 1970; the infinities of PostgreSQL are beyond every ordinary instant. */
export class Instant {
  readonly ns: bigint;
  constructor(ns: bigint) {
    this.ns = ns;
  }
}

const FOREVER = 10n ** 40n;
const DAY_NS = 86_400_000_000_000n;
const ISO =
  /^([+-]\d{6}|\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?(Z|[+-]\d{2}:\d{2})?)?$/;

/** Reads the canonical text of a timestamp or a date (midnight UTC); null when it is none. */
export function instantOf(text: string): Instant | null {
  if (text === "infinity") return new Instant(FOREVER);
  if (text === "-infinity") return new Instant(-FOREVER);
  const match = ISO.exec(text);
  if (match === null) return null;
  const [, year, month, day, hour = "00", minute = "00", second = "00", fraction = "", zone = "Z"] = match;
  const ms = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}.000${zone}`);
  if (Number.isNaN(ms)) return null;
  return new Instant(BigInt(ms) * 1_000_000n + BigInt(fraction.padEnd(9, "0")));
}

/** The canonical text: UTC, as many fraction digits as needed. */
export function instantText(instant: Instant): string {
  if (instant.ns >= FOREVER) return "infinity";
  if (instant.ns <= -FOREVER) return "-infinity";
  const nanos = ((instant.ns % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
  const seconds = new Date(Number((instant.ns - nanos) / 1_000_000n)).toISOString().slice(0, -5);
  const fraction = nanos === 0n ? "" : `.${nanos.toString().padStart(9, "0").replace(/0+$/, "")}`;
  return `${seconds}${fraction}Z`;
}

/** Days from `a` to `b`, a half day rounded away from zero; null when either is infinite. */
export function daysBetween(a: Instant, b: Instant): bigint | null {
  const infinite = [a, b].some((instant) => instant.ns >= FOREVER || instant.ns <= -FOREVER);
  return infinite ? null : divideRounded(b.ns - a.ns, DAY_NS);
}
