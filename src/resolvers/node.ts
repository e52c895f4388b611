import { Customer360Error } from "../errors.ts";

/** What a global id names: a type of the schema and the key of one of its objects, as one or several texts. */
export interface GlobalId {
  readonly type: string;
  readonly key: readonly string[];
}

/** A global id: base64url of `Type:key`, where several key parts are a JSON array. Same object, same id, for ever. */
export function globalId(type: string, ...key: readonly string[]): string {
  const text = key.length === 1 ? (key[0] ?? "") : JSON.stringify(key);
  return Buffer.from(`${type}:${text}`).toString("base64url");
}

/**
 * Reads a global id back; `parts` says how many key parts a type's ids have.
 * Throws BAD_USER_INPUT for anything not made by `globalId`.
 */
export function readGlobalId(id: string, parts: (type: string) => number | null): GlobalId {
  const text = Buffer.from(id, "base64url").toString();
  const colon = text.indexOf(":");
  const type = text.slice(0, Math.max(0, colon));
  const count = parts(type);
  const key = count === null ? null : keyParts(text.slice(colon + 1), count);
  if (key === null || globalId(type, ...key) !== id) {
    throw new Customer360Error("BAD_USER_INPUT", "`id` is not a global id of this schema.");
  }
  return { type, key };
}

function keyParts(text: string, count: number): readonly string[] | null {
  if (count === 1) return [text];
  try {
    const parts: unknown = JSON.parse(text);
    return Array.isArray(parts) && parts.length === count && parts.every((part) => typeof part === "string")
      ? parts
      : null;
  } catch {
    return null;
  }
}
