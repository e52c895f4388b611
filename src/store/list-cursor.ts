import { Customer360Error } from "../errors.ts";

/** What a list is ordered by. */
export type CursorValue = string | number | null;

/** Text that stands for the last entry seen of one kind of list: the values it was ordered by. */
export function writeCursor(list: string, values: readonly CursorValue[]): string {
  return Buffer.from(JSON.stringify([list, ...values.map(write)])).toString("base64url");
}

/** The values of a cursor of this kind of list. Throws CURSOR_INVALID for anything else. */
export function readCursor(list: string, text: string, types: readonly CursorType[]): readonly CursorValue[] {
  let parts: unknown = null;
  try {
    parts = JSON.parse(Buffer.from(text, "base64url").toString());
  } catch {
    // Answered below, with everything else that is no cursor.
  }
  if (Array.isArray(parts) && parts[0] === list && parts.length === types.length + 1) {
    const values: (CursorValue | undefined)[] = parts.slice(1).map(read);
    if (values.every((value, index) => fits(value, types[index]))) return values;
  }
  throw new Customer360Error("CURSOR_INVALID", "`after` is not a cursor of this list.");
}

/** `any` may be null too. */
export type CursorType = "text" | "number" | "any";

/** Numbers travel as text, since JSON knows no infinities. */
function write(value: CursorValue): string | null {
  return value === null ? null : typeof value === "number" ? `n${value}` : `t${value}`;
}

function read(part: unknown): CursorValue | undefined {
  if (part === null) return null;
  if (typeof part !== "string") return undefined;
  const rest = part.slice(1);
  if (part.startsWith("t")) return rest;
  return part.startsWith("n") && !Number.isNaN(Number(rest)) ? Number(rest) : undefined;
}

function fits(value: CursorValue | undefined, type: CursorType | undefined): value is CursorValue {
  if (type === "any") return value !== undefined;
  return typeof value === (type === "text" ? "string" : "number");
}
