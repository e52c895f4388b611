/** One JSON value of a file, still as bytes. */
export interface Piece {
  /** Null for one that was longer than allowed: its bytes were let go of. */
  readonly bytes: Buffer | null;
  /** Its line, or for values that span lines its number; from 0. */
  readonly index: number;
  /** Bytes of the file up to and including it: where to go on. */
  readonly end: number;
}

/** Cuts a stream of bytes into the JSON values it holds. Keeps at most one unfinished value in memory. */
export interface Splitter {
  /** Takes the next bytes of the file; answers the values that end in them. */
  push(chunk: Buffer): Piece[];
  /** What is left unfinished, or null when nothing but white space is. */
  rest(): Piece | null;
  /** The rest was taken for a value: what follows begins anew. */
  takeRest(): void;
}

const NEWLINE = 0x0a;
const MARK = Buffer.from([0xef, 0xbb, 0xbf]);

/** One value a line: a broken line spoils only itself. A byte order mark and carriage returns are taken off. */
export class LineSplitter implements Splitter {
  readonly #maxBytes: number;
  #index = 0;
  #end: number;
  #rest: Buffer[] = [];
  #restBytes = 0;

  constructor(maxBytes: number, end = 0) {
    this.#maxBytes = maxBytes;
    this.#end = end;
  }

  push(chunk: Buffer): Piece[] {
    const pieces: Piece[] = [];
    let from = 0;
    for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, from)) {
      this.#keep(chunk.subarray(from, at));
      from = at + 1;
      const line = this.#take(1);
      if (line !== null) pieces.push(line);
      this.#index += 1;
    }
    // A copy, so that a short rest does not keep the whole chunk alive.
    if (from < chunk.length) this.#keep(from === 0 ? chunk : Buffer.from(chunk.subarray(from)));
    return pieces;
  }

  rest(): Piece | null {
    const bytes = this.#isTooLong() ? null : trim(Buffer.concat(this.#rest), this.#startsFile());
    if (bytes !== null && bytes.length === 0) return null;
    return { bytes, index: this.#index, end: this.#end + this.#restBytes };
  }

  takeRest(): void {
    this.#take(0);
  }

  #keep(part: Buffer): void {
    this.#restBytes += part.length;
    if (this.#isTooLong()) this.#rest = [];
    else this.#rest.push(part);
  }

  #take(endBytes: number): Piece | null {
    const startsFile = this.#startsFile();
    const isTooLong = this.#isTooLong();
    const [only] = this.#rest;
    const whole = this.#rest.length === 1 && only !== undefined ? only : Buffer.concat(this.#rest);
    this.#end += this.#restBytes + endBytes;
    this.#rest = [];
    this.#restBytes = 0;
    if (isTooLong) return { bytes: null, index: this.#index, end: this.#end };
    const bytes = trim(whole, startsFile);
    return bytes.length === 0 ? null : { bytes, index: this.#index, end: this.#end };
  }

  #isTooLong(): boolean {
    return this.#restBytes > this.#maxBytes;
  }

  #startsFile(): boolean {
    return this.#end === 0;
  }
}

function trim(line: Buffer, startsFile: boolean): Buffer {
  let from = startsFile && line.subarray(0, MARK.length).equals(MARK) ? MARK.length : 0;
  let to = line.length;
  while (from < to && isSpace(line[from])) from += 1;
  while (to > from && isSpace(line[to - 1])) to -= 1;
  return line.subarray(from, to);
}

/** White space as JSON knows it. */
export function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === NEWLINE || byte === 0x0d || byte === 0x09;
}
