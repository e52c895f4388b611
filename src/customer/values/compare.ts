import type { Value, Values } from "../../cdc/change.ts";
import { sameValue } from "../../cdc/columns/values.ts";
import type { ColumnType } from "../../cdc/table.ts";
import { compareDecimals } from "./decimal.ts";

/** How two values of one field compare: numbers by size, decimals exactly, instants by time, everything else as text. */
export type ComparedAs = "number" | "decimal" | "timestamp" | "text" | "boolean";

/** How values of each type compare; null for those that nobody compares. */
export const COMPARED_AS = {
  int: "number",
  float: "number",
  bigint: "decimal",
  decimal: "decimal",
  boolean: "boolean",
  timestamp: "timestamp",
  date: "timestamp",
  text: "text",
  time: "text",
  uuid: "text",
  enum: "text",
  json: null,
  bytes: null,
} as const satisfies Readonly<Record<ColumnType, ComparedAs | null>>;

/** True when both carry the same columns with the same values. */
export function sameValues(a: Values, b: Values): boolean {
  if (a === b) return true;
  let columns = 0;
  for (const column in a) {
    const left = a[column];
    const right = b[column];
    if (left === undefined || right === undefined || !sameValue(left, right)) return false;
    columns++;
  }
  for (const _ in b) columns--;
  return columns === 0;
}

/** Orders text by code points, as UTF-8 bytes sort: what the stores do, and not what `<` does beyond U+FFFF. */
export function compareText(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index++) {
    const x = a.charCodeAt(index);
    const y = b.charCodeAt(index);
    if (x !== y) return codePointRank(x) - codePointRank(y);
  }
  return a.length - b.length;
}

/** Surrogates stand for code points above every other unit, so they are ranked above them. */
function codePointRank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}

/**
 * An instant or a date as text that sorts by time: without its trailing `Z`, so that a fraction sorts after its absence, with
 * signed years where they belong and the infinities at the ends.
 */
export function instantKey(text: string): string {
  if (text === "infinity") return "~";
  if (text === "-infinity") return "";
  const bare = text.endsWith("Z") ? text.slice(0, -1) : text;
  if (bare.startsWith("+")) return `:${bare.slice(1)}`;
  if (!bare.startsWith("-")) return bare;
  return bare.replace(/^-\d+/, (year) => year.replace(/\d/g, (digit) => String(9 - Number(digit))));
}

/** Negative, zero or positive; null when the two cannot be compared (a null, a list, not a number). */
export function compareValues(a: Value, b: Value, as: ComparedAs): number | null {
  if (a === null || b === null || typeof a === "object" || typeof b === "object") return null;
  switch (as) {
    case "number": {
      const difference = Number(a) < Number(b) ? -1 : Number(a) > Number(b) ? 1 : 0;
      return Number.isNaN(Number(a)) || Number.isNaN(Number(b)) ? null : difference;
    }
    case "decimal":
      return compareDecimals(String(a), String(b));
    case "timestamp":
      return compareText(instantKey(String(a)), instantKey(String(b)));
    case "boolean":
      return typeof a === "boolean" && typeof b === "boolean" ? Number(a) - Number(b) : null;
    case "text":
      return compareText(String(a), String(b));
  }
}
