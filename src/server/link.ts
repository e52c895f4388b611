import type { Duplex } from "node:stream";
import type { Payload } from "./shared-execution.ts";

const TEXT = 0x81;
const CLOSING_BRACE = 0x7d;
/** Longer answers are written beside their head instead of being copied behind it. */
const COPIED_BYTES = 16_384;

/** What a link needs of a WebSocket. */
export interface Socket {
  readonly OPEN: number;
  readonly readyState: number;
  readonly bufferedAmount: number;
  send(text: string, sent?: () => void): void;
  ping(): void;
  close(code: number, reason: string): void;
  terminate(): void;
  once(name: "close", closed: (...closing: unknown[]) => void): void;
}

/** One socket with what is known of its client. */
export class Link {
  readonly socket: Socket;
  /** Operations under way. */
  open = 0;
  /** Called when none is left. */
  onQuiet: (() => void) | null = null;
  /** False from a ping until its answer. */
  isAlive = true;
  /** It was told to go. */
  isCondemned = false;
  #greeting: NodeJS.Timeout | null = null;
  readonly #stream: Duplex;
  readonly #bufferedBytes: number;

  /** `bufferedBytes` may wait in the socket before those who send have to wait as well. */
  constructor(socket: Socket, stream: Duplex, bufferedBytes: number) {
    this.socket = socket;
    this.#stream = stream;
    this.#bufferedBytes = bufferedBytes;
  }

  /** Calls back when nothing was heard of the client for so long after its socket was opened. */
  awaitGreeting(ms: number, never: () => void): void {
    this.#greeting = setTimeout(never, ms);
  }

  /** The client said hello, or is gone. */
  greeted(): void {
    if (this.#greeting !== null) clearTimeout(this.#greeting);
    this.#greeting = null;
  }

  /** Sends text. A promise means: wait for it before sending more. */
  send(text: string): Promise<void> | undefined {
    const { socket } = this;
    if (socket.readyState !== socket.OPEN) return undefined;
    if (socket.bufferedAmount < this.#bufferedBytes) {
      socket.send(text);
      return undefined;
    }
    return new Promise((resolve) => socket.send(text, () => resolve()));
  }

  /**
   * Sends `head`, the shared bytes of a payload and a closing brace as one message. A promise means: wait for it.
   * The WebSocket frame is written here: ws would encode the same bytes again for each of thousands. It writes whole
   * frames at once (compression is off), so its frames and these never mix.
   */
  answer(head: string, { bytes }: Payload): Promise<void> | undefined {
    const { socket } = this;
    if (socket.readyState !== socket.OPEN) return undefined;
    const isFull = socket.bufferedAmount >= this.#bufferedBytes;
    if (!isFull) {
      this.#write(head, bytes, undefined);
      return undefined;
    }
    return new Promise((resolve) => this.#write(head, bytes, () => resolve()));
  }

  #write(head: string, bytes: Buffer, written: (() => void) | undefined): void {
    const headBytes = Buffer.byteLength(head);
    const length = headBytes + bytes.length + 1;
    const prefix = length < 126 ? 2 : length < 65_536 ? 4 : 10;
    const isCopied = bytes.length <= COPIED_BYTES;
    const frame = Buffer.allocUnsafe(prefix + headBytes + (isCopied ? bytes.length + 1 : 0));
    frame[0] = TEXT;
    if (prefix === 2) frame[1] = length;
    else if (prefix === 4) {
      frame[1] = 126;
      frame.writeUInt16BE(length, 2);
    } else {
      frame[1] = 127;
      frame.writeUIntBE(0, 2, 2);
      frame.writeUIntBE(length, 4, 6);
    }
    frame.write(head, prefix);
    if (isCopied) {
      bytes.copy(frame, prefix + headBytes);
      frame[frame.length - 1] = CLOSING_BRACE;
      this.#stream.write(frame, written);
      return;
    }
    this.#stream.cork();
    this.#stream.write(frame);
    this.#stream.write(bytes);
    this.#stream.write("}", written);
    this.#stream.uncork();
  }
}
