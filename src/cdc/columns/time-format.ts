import { DAY_SECONDS, daysOf, secondsOf, trimFraction, type Instant } from "./calendar.ts";

/** Reads a text written in one pattern; null when it is not. `Instant` is in UTC. */
export type TimeReader = (text: string) => Instant | null;

type Part = "year" | "month" | "day" | "hour" | "minute" | "second" | "fraction" | "zone";

const TOKENS: readonly (readonly [RegExp, Part, (length: number) => string])[] = [
  [/^y{4}/i, "year", () => "(\\d{4})"],
  [/^MM/, "month", () => "(\\d{2})"],
  [/^M/, "month", () => "(\\d{1,2})"],
  [/^dd/i, "day", () => "(\\d{2})"],
  [/^d/i, "day", () => "(\\d{1,2})"],
  [/^HH/, "hour", () => "(\\d{2})"],
  [/^H/, "hour", () => "(\\d{1,2})"],
  [/^mm/, "minute", () => "(\\d{2})"],
  [/^ss/, "second", () => "(\\d{2})"],
  [/^S+/, "fraction", (length) => `(\\d{${length}})`],
  [/^(X{1,3}|Z)/, "zone", () => "(Z|[+-]\\d{2}(?::?\\d{2})?)"],
];

/**
 * Compiles a pattern such as `MM-dd-yyyy HH:mm:ss` (letters: yyyy MM M dd d HH H mm ss S.. X; quoted text and punctuation
 * stand for themselves). Null when the pattern has a letter we do not know, lacks a part, or names one twice.
 */
export function compileFormat(pattern: string): TimeReader | null {
  const parts: Part[] = [];
  let source = "^";
  for (let rest = pattern; rest !== "";) {
    const token = nextToken(rest);
    if (token === null) return null;
    source += token.source;
    rest = rest.slice(token.length);
    if (token.part !== null) parts.push(token.part);
  }
  if (new Set(parts).size !== parts.length || !isComplete(parts)) return null;
  const compiled = new RegExp(`${source}$`);
  return (text) => {
    const found = compiled.exec(text);
    return found === null ? null : instantOf(parts, found.slice(1));
  };
}

interface Token {
  readonly part: Part | null;
  readonly length: number;
  readonly source: string;
}

function nextToken(rest: string): Token | null {
  const quoted = /^'([^']*)'/.exec(rest);
  if (quoted !== null) return { part: null, length: quoted[0].length, source: escapeText(quoted[1] ?? "") };
  for (const [start, part, source] of TOKENS) {
    const length = start.exec(rest)?.[0].length;
    if (length !== undefined) return { part, length, source: source(length) };
  }
  const literal = rest.charAt(0);
  if (/[A-SU-Za-z]/.test(literal)) return null;
  return { part: null, length: 1, source: escapeText(literal) };
}

function isComplete(parts: readonly Part[]): boolean {
  const has = (part: Part): boolean => parts.includes(part);
  const date = has("year") && has("month") && has("day");
  const clock = has("hour") && has("minute");
  return (
    (date || clock) && (!(has("year") || has("month") || has("day")) || date) && (!has("second") || clock)
  );
}

function instantOf(parts: readonly Part[], texts: readonly string[]): Instant | null {
  const text = (part: Part): string | undefined => texts[parts.indexOf(part)];
  const number = (part: Part, otherwise: number): number => Number(text(part) ?? otherwise);
  const days = daysOf(number("year", 1_970), number("month", 1), number("day", 1));
  const clock = secondsOf(number("hour", 0), number("minute", 0), number("second", 0));
  const zone = zoneSeconds(text("zone") ?? "Z");
  if (days === null || clock === null || zone === null) return null;
  return { seconds: days * DAY_SECONDS + clock - zone, fraction: trimFraction(text("fraction") ?? "") };
}

/** Seconds east of UTC of `Z`, `+02`, `+0200` or `+02:00`; null when it is none of these. */
export function zoneSeconds(zone: string): number | null {
  if (zone === "Z" || zone === "z") return 0;
  const found = /^([+-])(\d{2}):?(\d{2})?(?::?(\d{2}))?$/.exec(zone);
  if (found === null) return null;
  const [, sign, hours, minutes = "0", seconds = "0"] = found;
  if (Number(hours) > 18 || Number(minutes) > 59) return null;
  const total = Number(hours) * 3_600 + Number(minutes) * 60 + Number(seconds);
  return sign === "-" ? -total : total;
}

function escapeText(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");
}
