const TEXT = 1;
const CLOSE = 8;
const PING = 9;
const FINAL = 0x80;

/** What a reader of WebSocket frames tells. Payloads are views that live until the call returns. */
export interface FrameTaker {
  text(payload: Buffer): void;
  ping(payload: Buffer): void;
  close(payload: Buffer): void;
}

/**
 * Reads the frames a server sends, from chunks cut anywhere. Only what such servers send: unmasked, unfragmented, without
 * extensions; throws at anything else.
 */
export class FrameReader {
  readonly #taker: FrameTaker;
  #rest: Buffer | null = null;

  constructor(taker: FrameTaker) {
    this.#taker = taker;
  }

  /** Takes the next chunk of the stream. */
  feed(chunk: Buffer): void {
    const bytes = this.#rest === null ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    for (;;) {
      const frame = frameAt(bytes, at);
      if (frame === null) break;
      this.#give(frame.opcode, bytes.subarray(frame.start, frame.end));
      at = frame.end;
    }
    this.#rest = at === bytes.length ? null : bytes.subarray(at);
  }

  #give(opcode: number, payload: Buffer): void {
    if (opcode === TEXT) this.#taker.text(payload);
    else if (opcode === PING) this.#taker.ping(payload);
    else if (opcode === CLOSE) this.#taker.close(payload);
    else throw new Error(`a frame with opcode ${opcode}`);
  }
}

interface Span {
  readonly opcode: number;
  readonly start: number;
  readonly end: number;
}

/** The frame that begins at an offset; null while it is not all there. */
function frameAt(bytes: Buffer, at: number): Span | null {
  const head = bytes[at];
  const short = bytes[at + 1];
  if (head === undefined || short === undefined) return null;
  if ((head & 0xf0) !== FINAL || short > 127) throw new Error("a fragmented, compressed or masked frame");
  const extra = short < 126 ? 0 : short === 126 ? 2 : 8;
  const start = at + 2 + extra;
  if (start > bytes.length) return null;
  const length =
    extra === 0 ? short : extra === 2 ? bytes.readUInt16BE(at + 2) : Number(bytes.readBigUInt64BE(at + 2));
  const end = start + length;
  return end > bytes.length ? null : { opcode: head & 0x0f, start, end };
}

/** A frame from a client: masked, as it must be, with a key of zeros that leaves the text as it is. */
export function clientFrame(opcode: "text" | "pong", payload: Buffer): Buffer {
  const { length } = payload;
  if (length > 0xffff) throw new Error("a frame this long is not written here");
  const head = Buffer.alloc(length < 126 ? 6 : 8);
  head[0] = FINAL | (opcode === "text" ? TEXT : 10);
  if (length < 126) head[1] = FINAL | length;
  else {
    head[1] = FINAL | 126;
    head.writeUInt16BE(length, 2);
  }
  return Buffer.concat([head, payload]);
}
