import type { Value } from "../change.ts";
import { inOnePiece } from "./one-piece.ts";

/** The one text of a canonical value: equal values have equal texts, whatever the record sent them as. */
export function canonicalText(value: Value): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** Whether two canonical values are the same value. */
export function sameValue(a: Value, b: Value): boolean {
  if (a === b) return true;
  if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
  return a.every((element, index) => sameValue(element, b[index] ?? null));
}

/** The row key: JSON array text of the key columns' texts, such as `["42"]`. */
export function keyText(parts: readonly string[]): string {
  const only = parts.length === 1 ? parts[0] : undefined;
  return only !== undefined && isPlain(only) ? inOnePiece('["', only, '"]') : JSON.stringify(parts);
}

/** A decoder's answer to a value that does not fit its column; `reason` is in plain words and never quotes the value. */
export class Misfit {
  readonly reason: string;
  constructor(reason: string) {
    this.reason = reason;
  }
}

function isPlain(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code < 0x20 || code > 0x7e || code === 0x22 || code === 0x5c) return false;
  }
  return true;
}
