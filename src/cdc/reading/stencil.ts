import {
  byteAt,
  goesOn,
  integerAt,
  integerEnd,
  keep,
  keepNothing,
  keepText,
  keptPart,
  keptSoFar,
  keptText,
  textEnd,
  wordAt,
} from "./desk.ts";
import { Digits, type Json } from "./json.ts";
import { between, type Outline, sameShape, UNWANTED } from "./outline.ts";
import type { RawRow } from "./row-reader.ts";
import type { Scanner } from "./scanner.ts";

// How a wanted value was written, and so where it is found once the shape has fitted.
const WORD = 0;
const TEXT = 1;
const DIGITS = 2;
const INTEGER = 3;
const UNUSUAL = 4;

/** Per token of the record in hand: how it was written, where it begins and ends. Used by one stencil at a time. */
const marks = new Int32Array(3 * 512);

const QUOTE = 0x22;
const MINUS = 0x2d;
const NINE = 0x39;
const LETTER_T = 0x74;
const LETTER_N = 0x6e;

/** Digits that a number holds exactly. */
const MOST_DIGITS = 15;

/** What a stencil needs besides a shape. */
export interface Cut {
  /** Undefined for every slot. */
  readonly empty: readonly undefined[];
  /** By slot: a number is wanted as its digits. */
  readonly asDigits: readonly boolean[];
  /** By slot: a value that is not written as usual is read by its means. */
  readonly scanner: Scanner;
}

/**
 * The shape that many records of a topic share: everything but their values, names, punctuation and what never varied, is
 * compared in words of four bytes. What fits has been checked as thoroughly as by walking over it, since its shape was: only
 * the grammar of the values that vary is left.
 */
export class Stencil {
  readonly sample: Outline;
  readonly #varies: readonly boolean[];
  readonly #cut: Cut;
  /** What stands before each token that varies, and behind the last: its words, the last one filled up with zeros. */
  readonly #words: Int32Array;
  /** Where the words of each begin, and one more. */
  readonly #first: Int32Array;
  readonly #lengths: Int32Array;
  readonly #slots: Int32Array;

  private constructor(sample: Outline, varies: readonly boolean[], cut: Cut) {
    this.sample = sample;
    this.#varies = varies;
    this.#cut = cut;
    const pieces = piecesOf(sample, varies);
    this.#slots = Int32Array.from(
      sample.tokens.filter((_, index) => varies[index] === true),
      ({ slot }) => slot,
    );
    this.#lengths = Int32Array.from(pieces, ({ length }) => length);
    const counts = pieces.map(({ length }) => (length >> 2) + 1);
    let sum = 0;
    this.#first = Int32Array.from([0, ...counts], (count) => (sum += count));
    this.#words = Int32Array.from(pieces.flatMap(wordsOf));
  }

  /** What is wanted varies; all else is taken for constant until it is seen to vary. */
  static of(sample: Outline, cut: Cut): Stencil {
    return new Stencil(
      sample,
      sample.tokens.map(({ slot }) => slot !== UNWANTED),
      cut,
    );
  }

  /** This stencil with everything varying in which another record of its shape differs; null when its shape is another. */
  widened(other: Outline): Stencil | null {
    if (!sameShape(this.sample, other)) return null;
    const varies = this.#varies.map((already, index) => already || !sameToken(this.sample, other, index));
    return new Stencil(other, varies, this.#cut);
  }

  /** The wanted values of the record that is laid out, `length` bytes of `bytes` from `from`; null when it does not fit. */
  read(bytes: Buffer, from: number): RawRow | null {
    const { scanner } = this.#cut;
    scanner.reset(bytes);
    if (!this.#fits(from, bytes.length - from)) return null;
    return scanner.isUtf8() ? this.#lift(from) : null;
  }

  #fits(from: number, length: number): boolean {
    keepNothing();
    const slots = this.#slots;
    let at = 0;
    for (let index = 0; ; index++) {
      const size = this.#lengths[index] as number;
      const last = (this.#first[index + 1] as number) - 1;
      const mask = (1 << ((size & 3) << 3)) - 1;
      if (!goesOn(at, this.#words, { first: this.#first[index] as number, last, mask })) return false;
      at += size;
      if (index === slots.length) return at === length;
      if (at > length) return false;
      at = (slots[index] as number) < 0 ? this.#skip(at, from) : this.#mark(at, from, index);
      if (at < 0) return false;
    }
  }

  #skip(at: number, from: number): number {
    const byte = byteAt(at);
    const end = byte === QUOTE ? textEnd(at + 1) : byte <= NINE ? integerEnd(at) : -1;
    return end >= 0 ? end : this.#skipUnusual(at, from);
  }

  /** Notes a wanted value and answers its end; -1 when it has none. */
  #mark(at: number, from: number, index: number): number {
    const byte = byteAt(at);
    const mark = 3 * index;
    const start = keptSoFar();
    if (byte === QUOTE) {
      const end = keepText(at + 1);
      if (end >= 0) return note(mark, [TEXT, start, keptSoFar()], end);
    } else if (byte <= NINE) {
      const end = integerEnd(at);
      if (end >= 0 && this.#isText(at, end, index)) {
        keep(at, end);
        return note(mark, [DIGITS, start, keptSoFar()], end);
      }
      if (end >= 0) return note(mark, [INTEGER, at, end], end);
    } else {
      const size = wordAt(at);
      if (size > 0) return note(mark, [WORD, byte, 0], at + size);
    }
    const { scanner } = this.#cut;
    const { passedUnicode } = scanner;
    const end = note(mark, [UNUSUAL, at, 0], this.#skipUnusual(at, from));
    // A text is decoded when it is lifted, and its UTF-8 checked then.
    if (byte === QUOTE) scanner.passedUnicode = passedUnicode;
    return end;
  }

  /** Whether an integer is wanted as its digits, or has too many for a number. */
  #isText(at: number, end: number, index: number): boolean {
    const digits = byteAt(at) === MINUS ? end - at - 1 : end - at;
    return digits > MOST_DIGITS || this.#cut.asDigits[this.#slots[index] as number] === true;
  }

  #skipUnusual(at: number, from: number): number {
    const { scanner } = this.#cut;
    scanner.at = from + at;
    return scanner.skip() ? scanner.at - from : -1;
  }

  #lift(from: number): RawRow | null {
    const row: (Json | undefined)[] = this.#cut.empty.slice();
    const text = keptText();
    const slots = this.#slots;
    for (let index = 0; index < slots.length; index++) {
      const slot = slots[index] as number;
      if (slot < 0) continue;
      const value = this.#valueAt(3 * index, slot, { text, from });
      if (value === undefined) return null;
      row[slot] = value;
    }
    return row;
  }

  #valueAt(mark: number, slot: number, lifted: Lifted): Json | undefined {
    const start = marks[mark + 1] as number;
    const end = marks[mark + 2] as number;
    switch (marks[mark]) {
      case WORD:
        return start === LETTER_N ? null : start === LETTER_T;
      case TEXT:
        return cut(lifted.text, start, end);
      case DIGITS:
        return new Digits(cut(lifted.text, start, end));
      case INTEGER:
        return integerAt(start, end);
      default: {
        const { scanner, asDigits } = this.#cut;
        scanner.at = lifted.from + start;
        return scanner.value(asDigits[slot]);
      }
    }
  }
}

interface Lifted {
  readonly text: string | null;
  readonly from: number;
}

function cut(text: string | null, start: number, end: number): string {
  return text === null ? keptPart(start, end) : text.slice(start, end);
}

/** Notes how a wanted value was written; answers `next`. */
function note(mark: number, [how, start, end]: readonly [number, number, number], next: number): number {
  marks[mark] = how;
  marks[mark + 1] = start;
  marks[mark + 2] = end;
  return next;
}

function sameToken(a: Outline, b: Outline, index: number): boolean {
  return tokenBytes(a, index).compare(tokenBytes(b, index)) === 0;
}

function tokenBytes({ bytes, tokens }: Outline, index: number): Buffer {
  return bytes.subarray(tokens[index]?.start, tokens[index]?.end);
}

/** The bytes before each token that varies, and behind the last of them. */
function piecesOf(sample: Outline, varies: readonly boolean[]): readonly Buffer[] {
  const tokens = sample.tokens.filter((_, index) => varies[index] === true);
  const narrowed = { ...sample, tokens };
  return [...tokens, null].map((_, index) => between(narrowed, index));
}

function wordsOf(piece: Buffer): readonly number[] {
  const padded = Buffer.alloc(((piece.length >> 2) + 1) * 4);
  piece.copy(padded);
  return Array.from({ length: padded.length / 4 }, (_, word) => padded.readInt32LE(4 * word));
}
