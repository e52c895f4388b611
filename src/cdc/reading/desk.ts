/**
 * Where the bytes of one record are laid out to be walked over: one fixed place, whose address the engine knows, and which is
 * followed by a byte that ends every value. Reading it costs a third of reading the bytes where they came.
 */

/** A longer record does not fit. */
export const ROOM = 1 << 16;

// Twice the room, for a shape that is compared with a record too short for it.
const desk = new Uint8Array(2 * ROOM + 8);
const words = new DataView(desk.buffer);
/** What is wanted of the texts walked over, one after the other in Latin-1. */
const kept = Buffer.alloc(ROOM + 8);
const keptWords = new DataView(kept.buffer, kept.byteOffset, kept.length);

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** What a letter behind a backslash stands for; 0 for what takes more than a look. */
const ESCAPED = Uint8Array.from({ length: 256 }, (_, byte) => {
  const at = '"\\/bfnrt'.indexOf(String.fromCharCode(byte));
  return at < 0 ? 0 : '"\\/\b\f\n\r\t'.charCodeAt(at);
});

/** Lays out bytes, which have to fit. */
export function layOut(bytes: Uint8Array): void {
  desk.set(bytes);
  desk[bytes.length] = 0;
}

/** The byte at a place. */
export function byteAt(at: number): number {
  return desk[at] as number;
}

/** Which words of a list, and which bits of the last of them. */
export interface Words {
  readonly first: number;
  readonly last: number;
  readonly mask: number;
}

/** Whether what is laid out there goes on like these words. */
export function goesOn(from: number, like: Int32Array, { first, last, mask }: Words): boolean {
  let at = from;
  for (let word = first; word < last; word++, at += 4)
    if (words.getInt32(at, true) !== (like[word] as number)) return false;
  return ((words.getInt32(at, true) ^ (like[last] as number)) & mask) === 0;
}

/** The bits of the first byte in a word that does not stand for itself within a text; 0 when all four do. */
function special(word: number): number {
  return (
    (((word ^ 0x22222222) - 0x01010101) | ((word ^ 0x5c5c5c5c) - 0x01010101) | (word - 0x20202020) | word) &
    0x80808080
  );
}

/** Which byte of a word the lowest of these bits belongs to. */
function firstOf(bits: number): number {
  return (31 - Math.clz32(bits & -bits)) >> 3;
}

/** Walks over a text from behind its opening quote; where it ends, or -1 when it takes a closer look. */
export function textEnd(from: number): number {
  let at = from;
  for (;;) {
    const bits = special(words.getInt32(at, true));
    if (bits === 0) {
      at += 4;
      continue;
    }
    at += firstOf(bits);
    const byte = desk[at] as number;
    if (byte === QUOTE) return at + 1;
    if (byte !== BACKSLASH || ESCAPED[desk[at + 1] as number] === 0) return -1;
    at += 2;
  }
}

let reach = 0;

/** Forgets what is kept. */
export function keepNothing(): void {
  reach = 0;
}

/** How far what is kept reaches. */
export function keptSoFar(): number {
  return reach;
}

/** Like `textEnd`, and keeps what the text says. */
export function keepText(from: number): number {
  let at = from;
  let to = reach;
  for (;;) {
    const word = words.getInt32(at, true);
    keptWords.setInt32(to, word, true);
    const bits = special(word);
    if (bits === 0) {
      at += 4;
      to += 4;
      continue;
    }
    const plain = firstOf(bits);
    at += plain;
    to += plain;
    const byte = desk[at] as number;
    if (byte === QUOTE) break;
    const meant = meaning(byte, desk[at + 1] as number);
    if (meant === 0) return -1;
    kept[to++] = meant;
    at += 2;
  }
  reach = to;
  return at + 1;
}

/** The character of Latin-1 that two bytes stand for, the first of which does not stand for itself; 0 when they do not. */
function meaning(first: number, second: number): number {
  if (first === BACKSLASH) return ESCAPED[second] as number;
  const isLatin = (first === 0xc2 || first === 0xc3) && (second & 0xc0) === 0x80;
  return isLatin ? ((first & 3) << 6) | (second & 0x3f) : 0;
}

/** Where an integer ends that is written as usual; -1 when there is none, or it goes on as another number. */
export function integerEnd(from: number): number {
  let at = desk[from] === 0x2d ? from + 1 : from;
  const first = at;
  while (isDigit(desk[at] as number)) at++;
  const next = desk[at] as number;
  if (at === first || next === 0x2e || next === 0x65 || next === 0x45) return -1;
  return desk[first] === 0x30 && at - from > 1 ? -1 : at;
}

/** Keeps bytes as they are. */
export function keep(from: number, end: number): void {
  let to = reach;
  for (let at = from; at < end; at++) kept[to++] = desk[at] as number;
  reach = to;
}

/** The integer between two places, of at most 15 digits. */
export function integerAt(from: number, end: number): number {
  const negative = desk[from] === 0x2d;
  let value = 0;
  for (let at = negative ? from + 1 : from; at < end; at++) value = value * 10 + (desk[at] as number) - 0x30;
  return negative ? -value : value;
}

/** Whether `true`, `false` or `null` is written there; the length of the word, or 0. */
export function wordAt(at: number): number {
  switch (words.getInt32(at, true)) {
    case TRUE:
    case NULL:
      return 4;
    case FALS:
      return desk[at + 4] === 0x65 ? 5 : 0;
    default:
      return 0;
  }
}

const wordOf = (text: string): number => Buffer.from(text).readInt32LE();
const TRUE = wordOf("true");
const NULL = wordOf("null");
const FALS = wordOf("fals");

/** What is kept, as a text to cut values from; null when it is so long that a short value would keep too much alive with it. */
export function keptText(): string | null {
  return reach > MOST_SHARED ? null : kept.toString("latin1", 0, reach);
}

/** A part of what is kept. */
export function keptPart(from: number, end: number): string {
  return kept.toString("latin1", from, end);
}

const MOST_SHARED = 4_096;

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}
