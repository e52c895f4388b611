const MINUTE_MS = 60_000;
const YEAR_10000_MS = 253_402_300_800_000;
const SECONDS = Array.from({ length: 60 }, (_, second) => `${String(second).padStart(2, "0")}.`);
const MILLISECONDS = Array.from({ length: 1_000 }, (_, ms) => `${String(ms).padStart(3, "0")}Z`);

let knownMs = Number.NaN;
let known = "";

/**
 * The text of an instant as `Date.prototype.toISOString` gives it, milliseconds since 1970. Nearly all that are shown
 * together lie in the same minute, whose text is kept. Throws RangeError for what is no instant.
 */
export function instantText(ms: number): string {
  if (!(ms >= 0 && ms < YEAR_10000_MS && Number.isInteger(ms))) return new Date(ms).toISOString();
  const minuteMs = Math.floor(ms / MINUTE_MS) * MINUTE_MS;
  if (minuteMs !== knownMs) {
    known = new Date(minuteMs).toISOString().slice(0, -"00.000Z".length);
    knownMs = minuteMs;
  }
  const rest = ms - minuteMs;
  return `${known}${SECONDS[Math.trunc(rest / 1_000)] ?? ""}${MILLISECONDS[rest % 1_000] ?? ""}`;
}

/** The same, null for null. */
export function instantOrNull(ms: number | null): string | null {
  return ms === null ? null : instantText(ms);
}
