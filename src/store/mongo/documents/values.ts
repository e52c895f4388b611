import { fieldName, keptText, nameOf, textOf } from "./names.ts";

/** Anything the driver reads or writes: documents, their parts, and values in them. */
export type Stored = Readonly<Record<string, unknown>>;

interface Walk {
  readonly text: (text: string) => string;
  readonly name: (name: string) => string;
}

const TO_STORED: Walk = { text: keptText, name: fieldName };
const TO_ORIGINAL: Walk = { text: textOf, name: nameOf };

/** A part of a document as stored, every name in it a safe field name. The very same object where nothing needs escaping. */
export function stored(part: unknown): unknown {
  return walk(part, TO_STORED);
}

/** The original of a stored part. */
export function restored(part: unknown): unknown {
  return walk(part, TO_ORIGINAL);
}

function walk(part: unknown, how: Walk): unknown {
  if (typeof part === "string") return how.text(part);
  if (typeof part !== "object" || part === null || part instanceof Uint8Array) return part;
  if (Array.isArray(part)) return walkArray(part, how);
  let copy: Record<string, unknown> | null = null;
  const names = Object.keys(part);
  const values = part as Stored;
  for (const [at, name] of names.entries()) {
    const value = values[name];
    const changed = walk(value, how);
    const called = how.name(name);
    if (copy === null && changed === value && called === name) continue;
    copy ??= copyOf(values, names.slice(0, at));
    put(copy, called, changed);
  }
  return copy ?? part;
}

function walkArray(part: readonly unknown[], how: Walk): readonly unknown[] {
  let copy: unknown[] | null = null;
  for (const [at, value] of part.entries()) {
    const changed = walk(value, how);
    if (copy === null && changed !== value) copy = part.slice(0, at);
    copy?.push(changed);
  }
  return copy ?? part;
}

function copyOf(values: Stored, names: readonly string[]): Record<string, unknown> {
  const copy: Record<string, unknown> = {};
  for (const name of names) put(copy, name, values[name]);
  return copy;
}

/** Like `into[name] = value`, for names that objects give a meaning of their own, too. */
function put(into: Record<string, unknown>, name: string, value: unknown): void {
  if (name === "__proto__")
    Object.defineProperty(into, name, { value, enumerable: true, configurable: true, writable: true });
  else into[name] = value;
}

/** True when two parts hold the same, whatever the order of names. */
export function isSame(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const [x, y] = [a as Stored, b as Stored];
  const names = Object.keys(x);
  if (names.length !== Object.keys(y).length) return false;
  return names.every((name) => Object.hasOwn(y, name) && isSame(x[name], y[name]));
}
