import { Digits, parseLossless, type Json } from "./json.ts";

/** Nesting that the scanner follows; deeper values take the full parse. */
const MAX_SCAN_DEPTH = 60;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;

/**
 * Walks JSON bytes and reads only what is asked for, yet checks the grammar of all it passes over. Methods answer false
 * (or undefined) for anything unusual - escapes in names, deep nesting, bad UTF-8, faults -: the caller then parses in full,
 * and that parse decides. So whatever the scanner does answer is what the full parse would have said.
 */
export class Scanner {
  bytes: Buffer;
  at = 0;
  /** Whether bytes beyond ASCII were passed over without being decoded: their UTF-8 is then still to be checked. */
  passedUnicode = false;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  /** Starts over on other bytes. */
  reset(bytes: Buffer): void {
    this.bytes = bytes;
    this.at = 0;
    this.passedUnicode = false;
  }

  /** The next byte that is not white space, which stays unread; -1 at the end. */
  peek(): number {
    const bytes = this.bytes;
    let at = this.at;
    let byte = at < bytes.length ? (bytes[at] as number) : -1;
    while (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) {
      at++;
      byte = at < bytes.length ? (bytes[at] as number) : -1;
    }
    this.at = at;
    return byte;
  }

  /** Takes the byte if it comes next, after white space. */
  take(byte: number): boolean {
    if (this.peek() !== byte) return false;
    this.at++;
    return true;
  }

  /** Whether nothing but white space is left, and what was passed over is UTF-8. */
  endsWell(): boolean {
    return this.peek() === -1 && this.isUtf8();
  }

  /** Whether what was passed over is UTF-8. */
  isUtf8(): boolean {
    return !this.passedUnicode || !this.bytes.toString("utf8", 0, this.bytes.length).includes("\ufffd");
  }

  /** Takes `{`. */
  openObject(): boolean {
    return this.take(OPEN_OBJECT);
  }

  /** In an object, before its next name: "name", "end" (taken), or "fault". `first` before the first member. */
  nextMember(first: boolean): "name" | "end" | "fault" {
    const byte = this.peek();
    if (byte === CLOSE_OBJECT) {
      this.at++;
      return "end";
    }
    if (!first) {
      if (byte !== COMMA) return "fault";
      this.at++;
      return this.peek() === QUOTE ? "name" : "fault";
    }
    return byte === QUOTE ? "name" : "fault";
  }

  /** Takes exactly these bytes - a quoted name and its colon - if they come next. */
  takeLiteral(literal: Uint8Array): boolean {
    const bytes = this.bytes;
    const start = this.at;
    const length = literal.length;
    if (start + length > bytes.length) return false;
    for (let index = 0; index < length; index++) {
      if (bytes[start + index] !== literal[index]) return false;
    }
    this.at = start + length;
    return true;
  }

  /** Whether these bytes come next; nothing is taken. */
  startsWith(literal: Uint8Array): boolean {
    const at = this.at;
    const found = this.takeLiteral(literal);
    this.at = at;
    return found;
  }

  /** Takes a plain ASCII name and its colon; null when it has escapes or other bytes. */
  name(): string | null {
    const bytes = this.bytes;
    const start = this.at + 1;
    let at = start;
    for (; at < bytes.length; at++) {
      const byte = bytes[at] as number;
      if (byte === QUOTE) break;
      if (byte === BACKSLASH || byte < 0x20 || byte >= 0x80) return null;
    }
    this.at = at + 1;
    return this.take(COLON) ? bytes.toString("latin1", start, at) : null;
  }

  /** Reads the next value; undefined on anything unusual. `asDigits`: a number of any size is wanted as its digits. */
  value(asDigits = false): Json | undefined {
    const byte = this.peek();
    if (byte === QUOTE) return this.#string();
    if (byte === 0x2d || (byte >= 0x30 && byte <= 0x39))
      return asDigits ? this.#digits() : this.#number(byte);
    const start = this.at;
    if (!this.skip()) return undefined;
    switch (byte) {
      case 0x74:
        return true;
      case 0x66:
        return false;
      case 0x6e:
        return null;
      default:
        return parseLossless(this.bytes.toString("utf8", start, this.at));
    }
  }

  /** Passes over the next value, checking its grammar. */
  skip(depth = 0): boolean {
    const byte = this.peek();
    switch (byte) {
      case QUOTE:
        return this.#skipString();
      case OPEN_OBJECT:
        return depth < MAX_SCAN_DEPTH && this.#skipObject(depth + 1);
      case OPEN_ARRAY:
        return depth < MAX_SCAN_DEPTH && this.#skipArray(depth + 1);
      case 0x74:
        return this.takeLiteral(TRUE);
      case 0x66:
        return this.takeLiteral(FALSE);
      case 0x6e:
        return this.takeLiteral(NULL);
      default:
        return (byte === 0x2d || (byte >= 0x30 && byte <= 0x39)) && this.#numberEnd() >= 0;
    }
  }

  #skipObject(depth: number): boolean {
    this.at++;
    for (let first = true; ; first = false) {
      const next = this.nextMember(first);
      if (next === "end") return true;
      if (next === "fault" || !this.#skipString() || !this.take(COLON) || !this.skip(depth)) return false;
    }
  }

  #skipArray(depth: number): boolean {
    this.at++;
    if (this.take(CLOSE_ARRAY)) return true;
    do {
      if (!this.skip(depth)) return false;
    } while (this.take(COMMA));
    return this.take(CLOSE_ARRAY);
  }

  #skipString(): boolean {
    const bytes = this.bytes;
    for (let at = this.at + 1; at < bytes.length; at++) {
      const byte = bytes[at] as number;
      if (PLAIN[byte] === 1) continue;
      if (byte === QUOTE) {
        this.at = at + 1;
        return true;
      }
      if (byte < 0x20) return false;
      if (byte >= 0x80) this.passedUnicode = true;
      else {
        const end = escapeEnd(bytes, at);
        if (end < 0) return false;
        at = end;
      }
    }
    return false;
  }

  #string(): string | undefined {
    const bytes = this.bytes;
    const start = this.at + 1;
    let unicode = false;
    for (let at = start; at < bytes.length; at++) {
      const byte = bytes[at] as number;
      if (PLAIN[byte] === 1) continue;
      if (byte === QUOTE) {
        this.at = at + 1;
        return unicode ? this.#unicode(start, at) : this.#ascii(start, at);
      }
      if (byte < 0x20) return undefined;
      if (byte >= 0x80) unicode = true;
      else return this.#escaped();
    }
    return undefined;
  }

  #ascii(start: number, end: number): string {
    return end - start > SHORT
      ? this.bytes.toString("latin1", start, end)
      : shortText(this.bytes, start, end - start);
  }

  #unicode(start: number, end: number): string | undefined {
    const text = this.bytes.toString("utf8", start, end);
    return text.includes("\ufffd") ? undefined : text;
  }

  #escaped(): string | undefined {
    const start = this.at;
    if (!this.#skipString()) return undefined;
    const text = this.#unicode(start, this.at);
    return text === undefined ? undefined : (JSON.parse(text) as string);
  }

  #digits(): Digits | undefined {
    const start = this.at;
    const end = this.#numberEnd();
    return end < 0 ? undefined : new Digits(this.#ascii(start, end));
  }

  #number(first: number): number | Digits | undefined {
    const bytes = this.bytes;
    const start = this.at;
    const end = this.#numberEnd();
    if (end < 0) return undefined;
    const negative = first === 0x2d;
    let at = negative ? start + 1 : start;
    if (end - at > 15 || (negative && bytes[at] === 0x30)) return new Digits(this.#ascii(start, end));
    let value = 0;
    for (; at < end; at++) {
      const digit = (bytes[at] as number) - 0x30;
      // A point, an exponent: not an integer.
      if (digit < 0 || digit > 9) return new Digits(this.#ascii(start, end));
      value = value * 10 + digit;
    }
    return negative ? -value : value;
  }

  /** Passes over a number by the grammar; its end, or -1. */
  #numberEnd(): number {
    const bytes = this.bytes;
    let at = this.at;
    if (bytes[at] === 0x2d) at++;
    const whole = at;
    at = digitsEnd(bytes, at);
    if (at === whole || (bytes[whole] === 0x30 && at > whole + 1)) return -1;
    if (bytes[at] === 0x2e) {
      const end = digitsEnd(bytes, at + 1);
      if (end === at + 1) return -1;
      at = end;
    }
    if (bytes[at] === 0x65 || bytes[at] === 0x45) {
      at++;
      if (bytes[at] === 0x2b || bytes[at] === 0x2d) at++;
      const end = digitsEnd(bytes, at);
      if (end === at) return -1;
      at = end;
    }
    this.at = at;
    return at;
  }
}

/** 1 for the bytes that stand for themselves within a text. */
const PLAIN = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte < 0x20 || byte >= 0x80 || byte === QUOTE || byte === BACKSLASH ? 0 : 1,
);

const SHORT = 12;

/** At most twelve bytes as a text: so few are put together here in a fraction of the time that asking the buffer takes. */
function shortText(bytes: Buffer, at: number, length: number): string {
  if (at + SHORT > bytes.length) return bytes.toString("latin1", at, at + length);
  const code = (index: number): number => bytes[at + index] as number;
  // Spelt out, for spread arguments would be a list made for every text.
  const twelve = String.fromCharCode(
    code(0),
    code(1),
    code(2),
    code(3),
    code(4),
    code(5),
    code(6),
    code(7),
    code(8),
    code(9),
    code(10),
    code(11),
  );
  return twelve.slice(0, length);
}

const [TRUE, FALSE, NULL] = [Buffer.from("true"), Buffer.from("false"), Buffer.from("null")] as const;

function digitsEnd(bytes: Buffer, from: number): number {
  let at = from;
  for (; at < bytes.length; at++) {
    const byte = bytes[at] as number;
    if (byte < 0x30 || byte > 0x39) break;
  }
  return at;
}

/** The last byte of the escape that begins at the backslash; -1 when it is none. */
function escapeEnd(bytes: Buffer, backslash: number): number {
  const byte = bytes[backslash + 1];
  if (byte === 0x75) {
    for (let at = backslash + 2; at < backslash + 6; at++) if (!isHex(bytes[at] ?? 0)) return -1;
    return backslash + 5;
  }
  switch (byte) {
    case QUOTE:
    case BACKSLASH:
    case 0x2f:
    case 0x62:
    case 0x66:
    case 0x6e:
    case 0x72:
    case 0x74:
      return backslash + 1;
    default:
      return -1;
  }
}

function isHex(byte: number): boolean {
  return (byte >= 0x30 && byte <= 0x39) || (byte >= 0x41 && byte <= 0x46) || (byte >= 0x61 && byte <= 0x66);
}
