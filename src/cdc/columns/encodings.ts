import type { ColumnPlan } from "../table.ts";

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}(?:==)?|[A-Za-z0-9+/]{3}=?)?$/;
const BASE64_URL = /^(?:[A-Za-z0-9_-]{4})*(?:[A-Za-z0-9_-]{2}(?:==)?|[A-Za-z0-9_-]{3}=?)?$/;
const HEX = /^(?:[0-9a-fA-F]{2})*$/;

/** The bytes a text stands for; null when it is not in that encoding. A `\x` before hex digits is allowed. */
export function readBytes(text: string, encoding: ColumnPlan["encoding"]): Uint8Array | null {
  switch (encoding) {
    case "base64":
      return BASE64.test(text) ? Buffer.from(text, "base64") : null;
    case "base64-url-safe":
      return BASE64_URL.test(text) ? Buffer.from(text, "base64url") : null;
    case "hex": {
      const digits = text.startsWith("\\x") ? text.slice(2) : text;
      return HEX.test(digits) ? Buffer.from(digits, "hex") : null;
    }
  }
}

/** Standard base64 with padding: the canonical form of bytes. */
export function base64Of(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
}
