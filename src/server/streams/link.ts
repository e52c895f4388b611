import type { Socket } from "node:net";
import { WebSocket, WebSocketServer } from "ws";
import type { RawData, Server } from "ws";
import type { Log } from "../../log.ts";
import type { Payload } from "../writing/answers.ts";

const TEXT = 0x81;
const CLOSING_BRACE = 0x7d;
/** Longer answers are written beside their head instead of being copied behind it. */
const COPIED_BYTES = 16_384;

/** What all links of a server have in common. */
export interface Commons {
  /** The open ones. */
  readonly links: Set<Link>;
  /** Bytes that may wait in a socket before those who send have to wait as well. */
  readonly bufferedBytes: number;
  readonly log: Log;
}

/** Makes links of requests to upgrade. `protocols` chooses one of those a client offers. */
export function createDoor(
  maxPayload: number,
  protocols: (offered: Set<string>) => string | false,
): Server<typeof Link> {
  return new WebSocketServer({
    noServer: true,
    WebSocket: Link,
    maxPayload,
    handleProtocols: protocols,
    clientTracking: false,
    perMessageDeflate: false,
  });
}

/**
 * One socket with what is known of its client. Thousands of them wait at any time, so a link is the socket itself, all
 * listeners are the same functions, and nothing is made per link that all can share.
 */
export class Link extends WebSocket {
  /** Operations under way. */
  operations = 0;
  /** Called when none is left. */
  onQuiet: (() => void) | null = null;
  /** It was told to go. */
  isCondemned = false;
  #hear: ((text: string) => Promise<void>) | null = null;
  #leave: ((code: number, reason: string) => Promise<void>) | null = null;
  #greeting: NodeJS.Timeout | null = null;
  #stream: Socket | null = null;
  #commons: Commons | null = null;
  #bytesRead = 0;

  /** Begins to listen, on the stream it was made on. */
  enter(stream: Socket, commons: Commons): void {
    this.#stream = stream;
    this.#commons = commons;
    commons.links.add(this);
    this.on("message", heard).on("error", failed).on("close", left);
  }

  /** Who gets what the client says. */
  onMessage(hear: (text: string) => Promise<void>): void {
    this.#hear = hear;
  }

  /** Who is told, once, that the socket is closed. */
  onLeave(leave: (code: number, reason: string) => Promise<void>): void {
    this.#leave = leave;
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

  /** One operation less. */
  ended(): void {
    this.operations -= 1;
    if (this.operations === 0) this.onQuiet?.();
  }

  /** True when the client sent anything since the last call, be it the answer to a ping. */
  isAlive(): boolean {
    const before = this.#bytesRead;
    this.#bytesRead = this.#stream?.bytesRead ?? 0;
    return this.#bytesRead !== before;
  }

  /** Sends text. A promise means: wait for it before sending more. */
  say(text: string): Promise<void> | undefined {
    if (this.readyState !== WebSocket.OPEN) return undefined;
    if (!this.#isFull()) {
      this.send(text);
      return undefined;
    }
    return new Promise((resolve) => this.send(text, () => resolve()));
  }

  /**
   * Sends `head`, the shared bytes of a payload and a closing brace as one message. A promise means: wait for it.
   * The WebSocket frame is written here: ws would encode the same bytes again for each of thousands. It writes whole
   * frames at once (compression is off), so its frames and these never mix.
   */
  answer(head: string, { bytes }: Payload): Promise<void> | undefined {
    const stream = this.#stream;
    if (stream === null || this.readyState !== WebSocket.OPEN) return undefined;
    if (!this.#isFull()) {
      write(stream, { head, bytes, written: undefined });
      return undefined;
    }
    return new Promise((resolve) => write(stream, { head, bytes, written: () => resolve() }));
  }

  /** What the listeners below call. */
  hear(text: string): void {
    this.#hear?.(text).catch((error: unknown) => {
      this.#commons?.log.error("a socket failed", {
        error: error instanceof Error ? (error.stack ?? error.message) : String(error),
      });
      this.close(1011, "Internal error");
    });
  }

  /** Notes what the client did wrong. */
  fail(reason: string): void {
    this.#commons?.log.info("a socket was closed for its client's fault", { reason });
  }

  leave(code: number, reason: string): void {
    this.#commons?.links.delete(this);
    this.greeted();
    void this.#leave?.(code, reason);
  }

  #isFull(): boolean {
    return this.bufferedAmount >= (this.#commons?.bufferedBytes ?? 0);
  }
}

function heard(this: WebSocket, bytes: RawData): void {
  if (this instanceof Link) this.hear(String(bytes));
}

function failed(this: WebSocket, error: Error): void {
  if (this instanceof Link) this.fail(error.message);
}

function left(this: WebSocket, code: number, reason: Buffer): void {
  if (this instanceof Link) this.leave(code, String(reason));
}

interface Answer {
  readonly head: string;
  readonly bytes: Buffer;
  readonly written: (() => void) | undefined;
}

function write(stream: Socket, { head, bytes, written }: Answer): void {
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
    stream.write(frame, written);
    return;
  }
  stream.cork();
  stream.write(frame);
  stream.write(bytes);
  stream.write("}", written);
  stream.uncork();
}
