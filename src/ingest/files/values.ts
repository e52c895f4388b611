import { isSpace, LineSplitter, type Piece, type Splitter } from "./lines.ts";

const NEWLINE = 0x0a;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const MARK = [0xef, 0xbb, 0xbf];

/**
 * For `.json` files, whose layout the beginning tells: an array over the whole file, values that span lines or share one, or,
 * when the first value has a line for itself, one value a line, which then is read as lines.
 */
export function jsonSplitter(maxBytes: number): Splitter {
  const values = new ValueSplitter(maxBytes);
  let chosen: Splitter = values;
  return {
    push: (chunk) => {
      const pieces = chosen.push(chunk);
      const tail = chosen === values ? values.tail : null;
      if (tail === null) return pieces;
      chosen = new LineSplitter(maxBytes, values.end);
      return [...pieces, ...chosen.push(tail)];
    },
    rest: () => chosen.rest(),
    takeRest: () => chosen.takeRest(),
  };
}

/** Finds where values begin and end by counting brackets outside of texts; what is between them is for others to judge. */
class ValueSplitter implements Splitter {
  /** Where the tail begins, in bytes of the file. */
  end = 0;
  /** Set once the file turns out to hold one value a line: the bytes from the end of the first line on. */
  tail: Buffer | null = null;
  readonly #maxBytes: number;
  #read = 0;
  #index = 0;
  #layout: "unknown" | "array" | "values" = "unknown";
  #inValue = false;
  #inText = false;
  #escaped = false;
  #depth = 0;
  #spansLines = false;
  #parts: Buffer[] = [];
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  push(chunk: Buffer): Piece[] {
    const pieces: Piece[] = [];
    let from = 0;
    for (let at = 0; at < chunk.length; at += 1) {
      const byte = chunk[at] as number;
      if (!this.#inValue) {
        if (byte === NEWLINE && this.#isLines()) {
          this.end = this.#read + at;
          this.tail = chunk.subarray(at);
          return pieces;
        }
        if (!this.#begins(byte, this.#read + at)) continue;
        this.#inValue = true;
        from = at;
      }
      const size = this.#measure(byte);
      if (size === null) continue;
      this.#keep(chunk.subarray(from, at + size));
      pieces.push(this.#finish(this.#read + at + size));
      if (size === 0) at -= 1;
    }
    if (this.#inValue) this.#keep(Buffer.from(chunk.subarray(from)));
    this.#read += chunk.length;
    return pieces;
  }

  rest(): Piece | null {
    if (!this.#inValue) return null;
    const bytes = this.#bytes > this.#maxBytes ? null : Buffer.concat(this.#parts);
    return { bytes, index: this.#index, end: this.#read };
  }

  takeRest(): void {
    if (this.#inValue) this.#finish(this.#read);
  }

  /** True when a value begins with this byte; passes over what stands between values. */
  #begins(byte: number, at: number): boolean {
    if (isSpace(byte) || byte === MARK[at]) return false;
    if (this.#layout === "unknown") {
      this.#layout = byte === OPEN_ARRAY ? "array" : "values";
      return byte !== OPEN_ARRAY;
    }
    return this.#layout === "values" || (byte !== COMMA && byte !== CLOSE_ARRAY);
  }

  /** How many bytes of this one belong to the value that it ends (1, or 0 for what ends a number), or null when it ends none. */
  #measure(byte: number): 0 | 1 | null {
    if (byte === NEWLINE) this.#spansLines = true;
    if (this.#inText) return this.#measureText(byte);
    switch (byte) {
      case QUOTE:
        this.#inText = true;
        return null;
      case OPEN_OBJECT:
      case OPEN_ARRAY:
        this.#depth += 1;
        return null;
      case CLOSE_OBJECT:
      case CLOSE_ARRAY:
        if (this.#depth === 0) return this.#layout === "array" && byte === CLOSE_ARRAY ? 0 : 1;
        this.#depth -= 1;
        return this.#depth === 0 ? 1 : null;
      default:
        if (this.#depth > 0) return null;
        return isSpace(byte) || (this.#layout === "array" && byte === COMMA) ? 0 : null;
    }
  }

  #measureText(byte: number): 1 | null {
    if (this.#escaped) this.#escaped = false;
    else if (byte === BACKSLASH) this.#escaped = true;
    else if (byte === QUOTE) {
      this.#inText = false;
      return this.#depth === 0 ? 1 : null;
    }
    return null;
  }

  #keep(part: Buffer): void {
    this.#bytes += part.length;
    if (this.#bytes > this.#maxBytes) this.#parts = [];
    else this.#parts.push(part);
  }

  #finish(end: number): Piece {
    const bytes = this.#bytes > this.#maxBytes ? null : Buffer.concat(this.#parts);
    const piece = { bytes, index: this.#index, end };
    this.#index += 1;
    this.#inValue = false;
    this.#parts = [];
    this.#bytes = 0;
    return piece;
  }

  #isLines(): boolean {
    return this.#layout === "values" && this.#index === 1 && !this.#spansLines;
  }
}
