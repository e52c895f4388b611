import { Scanner } from "./scanner.ts";

/** Which members of a JSON object are wanted: into which slot, or which of their own members. */
export type Wanted = ReadonlyMap<string, number | Wanted>;

/** A value within bytes that may differ from record to record. */
export interface Token {
  readonly start: number;
  readonly end: number;
  /** Where it is wanted; UNWANTED for nowhere. */
  readonly slot: number;
}

/** What a record consists of: tokens, and between them the bytes that make its shape. */
export interface Outline {
  readonly bytes: Buffer;
  readonly tokens: readonly Token[];
  /** Its bytes are the rest of a wrapper, which on their own are no record. */
  readonly wrapped: boolean;
}

/** The slot of a token that nobody asked for. */
export const UNWANTED = -1;

/** More values in one record are not worth remembering. */
const MAX_TOKENS = 500;

const QUOTE = 0x22;
const COMMA = 0x2c;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const PAYLOAD = Buffer.from('"payload":');

/**
 * Outlines bytes that are known to be a record of the usual shape; null when they are not worth remembering. `wrapped`: they
 * begin behind the schema of a wrapper, whose payload they hold.
 */
export function outline(bytes: Buffer, wanted: Wanted, wrapped: boolean): Outline | null {
  const walker = new Walker(bytes);
  const isWhole = wrapped ? walker.wrapped(wanted) : walker.value(wanted);
  if (!isWhole || walker.tokens.length > MAX_TOKENS || walker.scanner.peek() !== -1) return null;
  return { bytes, tokens: walker.tokens, wrapped };
}

/** Whether two records differ in nothing but tokens, and those nobody wants may differ. */
export function sameShape(a: Outline, b: Outline): boolean {
  if (a.tokens.length !== b.tokens.length) return false;
  for (let index = 0; index <= a.tokens.length; index++) {
    if (a.tokens[index]?.slot !== b.tokens[index]?.slot) return false;
    if (between(a, index).compare(between(b, index)) !== 0) return false;
  }
  return true;
}

/** The bytes between a token and the one before it. */
export function between({ bytes, tokens }: Outline, index: number): Buffer {
  return bytes.subarray(tokens[index - 1]?.end ?? 0, tokens[index]?.start ?? bytes.length);
}

/** Walks a value once, noting its tokens in their order. */
class Walker {
  readonly scanner: Scanner;
  readonly tokens: Token[] = [];

  constructor(bytes: Buffer) {
    this.scanner = new Scanner(bytes);
  }

  /** The rest of a wrapper behind its schema. */
  wrapped(wanted: Wanted): boolean {
    const { scanner } = this;
    if (!scanner.take(COMMA) || scanner.peek() !== QUOTE || !scanner.takeLiteral(PAYLOAD)) return false;
    return this.value(wanted) && scanner.take(CLOSE_OBJECT);
  }

  /**
   * A value; one that is wanted as a whole, or holds no others, is a token.
   * Where members are wanted, null is part of the shape.
   */
  value(wanted: number | Wanted | undefined): boolean {
    const byte = this.scanner.peek();
    if (typeof wanted === "number") return this.#token(wanted);
    if (byte === OPEN_OBJECT) return this.#object(wanted);
    if (wanted !== undefined) return this.scanner.skip();
    return byte === OPEN_ARRAY ? this.#array() : this.#token(UNWANTED);
  }

  #token(slot: number): boolean {
    const start = this.scanner.at;
    if (!this.scanner.skip()) return false;
    this.tokens.push({ start, end: this.scanner.at, slot });
    return true;
  }

  #object(wanted: Wanted | undefined): boolean {
    const { scanner } = this;
    scanner.openObject();
    for (let first = true; ; first = false) {
      const next = scanner.nextMember(first);
      if (next !== "name") return next === "end";
      const name = scanner.name();
      if (name === null || !this.value(wanted?.get(name))) return false;
    }
  }

  #array(): boolean {
    const { scanner } = this;
    scanner.take(OPEN_ARRAY);
    if (scanner.take(CLOSE_ARRAY)) return true;
    do if (!this.value(undefined)) return false;
    while (scanner.take(COMMA));
    return scanner.take(CLOSE_ARRAY);
  }
}
