import { Customer360Error } from "../errors.ts";
import type { SqlValue } from "./sqlite.ts";

/** Text that stands for the last entry seen of one kind of list: the values it was ordered by. */
export function writeCursor(list: string, values: readonly SqlValue[]): string {
  return Buffer.from(JSON.stringify([list, ...values])).toString("base64url");
}

/** The values of a cursor of this kind of list. Throws CURSOR_INVALID for anything else. */
export function readCursor(list: string, text: string, types: readonly string[]): readonly SqlValue[] {
  let parts: unknown = null;
  try {
    parts = JSON.parse(Buffer.from(text, "base64url").toString());
  } catch {
    // Answered below, with everything else that is no cursor.
  }
  if (Array.isArray(parts) && parts[0] === list && parts.length === types.length + 1) {
    const values: unknown[] = parts.slice(1);
    if (values.every((value, index) => fits(value, types[index] ?? ""))) return values as SqlValue[];
  }
  throw new Customer360Error("CURSOR_INVALID", "`after` is not a cursor of this list.");
}

/** `text`, `number`, or either or null when `any`. */
function fits(value: unknown, type: string): boolean {
  if (type === "any") return value === null || typeof value === "string" || typeof value === "number";
  return typeof value === (type === "text" ? "string" : type);
}
