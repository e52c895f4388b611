/** JSON values that keep every digit: what the decoder reads records as. */
export type Json = null | boolean | number | string | Digits | readonly Json[] | JsonObject;

/** A JSON object; `__proto__` is an ordinary name in it. Look names up with `member`, never with a bare index. */
export interface JsonObject {
  readonly [name: string]: Json;
}

/**
 * A number that a JavaScript number might not hold exactly: everything but integers of at most 15 digits.
 * `text` is the number as it was sent.
 */
export class Digits {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** Nesting beyond this is refused: no row is that deep, and recursion must not be the sender's to steer. */
export const MAX_DEPTH = 200;

// A number of 16 digits or more, or with a fraction or exponent. Also hits some strings, which only costs time.
const LONG_NUMBER = /[:,[]\s*-?(?:\d{16}|\d+[.eE])|^\s*-?(?:\d{16}|\d+[.eE])|[:,[]\s*-0|^\s*-0/;

const TOKEN = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const SPACE = /[ \t\n\r]*/y;

/**
 * Reads JSON without losing a digit: integers of at most 15 digits are numbers, all other numbers `Digits`.
 * Undefined when it is not JSON.
 */
export function parseLossless(text: string): Json | undefined {
  if (!LONG_NUMBER.test(text) && !opensOften(text)) {
    try {
      return JSON.parse(text) as Json;
    } catch {
      return undefined;
    }
  }
  const reader = new Reader(text);
  const value = reader.value(0);
  if (value === undefined || !reader.atEnd()) return undefined;
  return value;
}

/** JSON text of a lossless value, numbers digit by digit as they were sent. */
export function stringifyLossless(value: Json): string {
  if (value instanceof Digits) return value.text;
  if (Array.isArray(value)) return `[${value.map(stringifyLossless).join(",")}]`;
  if (!isObject(value)) return JSON.stringify(value);
  const members = Object.keys(value).map(
    (name) => `${JSON.stringify(name)}:${stringifyLossless(value[name] ?? null)}`,
  );
  return `{${members.join(",")}}`;
}

/** True for JSON objects, as opposed to arrays, numbers, texts and null. */
export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Digits);
}

/** The member of that name, or undefined; never something inherited. */
export function member(value: Json | undefined, name: string): Json | undefined {
  return isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

/** The value of a number token: a JavaScript number when it is an integer of at most 15 digits. */
export function numberOf(token: string): number | Digits {
  return /^(?:0|-?[1-9]\d{0,14})$/.test(token) ? Number(token) : new Digits(token);
}

function opensOften(text: string): boolean {
  let count = 0;
  for (const bracket of ["[", "{"]) {
    for (let at = text.indexOf(bracket); at >= 0; at = text.indexOf(bracket, at + 1)) {
      if (++count > MAX_DEPTH) return true;
    }
  }
  return false;
}

/** Recursive descent over one text; every method answers undefined when the text is not JSON there. */
class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  atEnd(): boolean {
    this.#skipSpace();
    return this.#at === this.#text.length;
  }

  value(depth: number): Json | undefined {
    this.#skipSpace();
    switch (this.#text[this.#at]) {
      case "{":
        return depth < MAX_DEPTH ? this.#object(depth + 1) : undefined;
      case "[":
        return depth < MAX_DEPTH ? this.#array(depth + 1) : undefined;
      case '"':
        return this.#string();
      case "t":
        return this.#word("true", true);
      case "f":
        return this.#word("false", false);
      case "n":
        return this.#word("null", null);
      default:
        return this.#number();
    }
  }

  #object(depth: number): JsonObject | undefined {
    const object: Record<string, Json> = {};
    this.#at++;
    if (this.#take("}")) return object;
    do {
      this.#skipSpace();
      const name = this.#text[this.#at] === '"' ? this.#string() : undefined;
      if (name === undefined || !this.#take(":")) return undefined;
      const value = this.value(depth);
      if (value === undefined) return undefined;
      if (name === "__proto__") {
        Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true });
      } else object[name] = value;
    } while (this.#take(","));
    return this.#take("}") ? object : undefined;
  }

  #array(depth: number): readonly Json[] | undefined {
    const list: Json[] = [];
    this.#at++;
    if (this.#take("]")) return list;
    do {
      const value = this.value(depth);
      if (value === undefined) return undefined;
      list.push(value);
    } while (this.#take(","));
    return this.#take("]") ? list : undefined;
  }

  #string(): string | undefined {
    const start = this.#at;
    let end = start;
    let backslashes: number;
    do {
      end = this.#text.indexOf('"', end + 1);
      if (end < 0) return undefined;
      backslashes = 0;
      while (this.#text[end - 1 - backslashes] === "\\") backslashes++;
    } while (backslashes % 2 === 1);
    this.#at = end + 1;
    try {
      return JSON.parse(this.#text.slice(start, end + 1)) as string;
    } catch {
      return undefined;
    }
  }

  #number(): number | Digits | undefined {
    TOKEN.lastIndex = this.#at;
    const token = TOKEN.exec(this.#text)?.[0];
    if (token === undefined) return undefined;
    this.#at += token.length;
    return numberOf(token);
  }

  #word<T extends boolean | null>(word: string, value: T): T | undefined {
    if (!this.#text.startsWith(word, this.#at)) return undefined;
    this.#at += word.length;
    return value;
  }

  #take(character: string): boolean {
    this.#skipSpace();
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #skipSpace(): void {
    SPACE.lastIndex = this.#at;
    SPACE.exec(this.#text);
    this.#at = SPACE.lastIndex;
  }
}

/** The digits of a number, or a text, as sent; empty text for anything else. */
export function integerText(json: Json): string {
  if (json instanceof Digits) return json.text;
  return typeof json === "number" || typeof json === "string" ? String(json) : "";
}
