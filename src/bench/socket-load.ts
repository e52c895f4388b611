import { connect } from "node:net";
import type { Socket } from "node:net";
import { clientFrame, FrameReader } from "./frame-reader.ts";

/** Sockets opened at once, the pause between two such steps, and how many may be on their way: more overrun the listen queue. */
const RAMP = 100;
const RAMP_MS = 20;
const UNDER_WAY = 200;
const PATIENCE_MS = 60_000;

/** What each socket subscribes to; null for sockets that only listen. */
export type Subscribe = (index: number) => { readonly query: string; readonly variables: object };

/** How to open sockets. */
export interface SocketLoadOptions {
  readonly port: number;
  readonly count: number;
  readonly subscribe: Subscribe | null;
  /** Told of each delivery as it arrives; the payload lives until it returns. */
  readonly onDelivery?: (index: number, payload: Buffer) => void;
}

/** Only these frames count as deliveries: not snapshots, not signs of life. */
const CHANGE = Buffer.from('"CustomerChange"');
const ACK = Buffer.from('"connection_ack"');
const NEXT = Buffer.from('"next"');
const HEAD_END = "\r\n\r\n";

/** WebSocket clients on raw sockets, written by hand so that they cost as little as can be beside the server they load. */
export class SocketLoad {
  readonly #options: SocketLoadOptions;
  readonly #sockets: Socket[] = [];
  #ready = 0;
  #delivered = 0;
  #awaited: { readonly isReached: () => boolean; readonly resolve: () => void } | null = null;
  #fault: Error | null = null;
  #closing = false;
  /** Text of the latest delivery to any socket. */
  #sample: string | null = null;

  constructor(options: SocketLoadOptions) {
    this.#options = options;
  }

  /** Changes delivered to all sockets together so far. */
  get delivered(): number {
    return this.#delivered;
  }

  /** Text of the first delivery. Throws when there was none. */
  get sample(): string {
    if (this.#sample === null) throw new Error("nothing was delivered yet");
    return this.#sample;
  }

  /** Opens all sockets, step by step; resolves when each has its subscription's first frame. */
  async open(): Promise<void> {
    const { count } = this.#options;
    for (let index = 0; index < count; index += 1) {
      this.#connect(index);
      if ((index + 1) % RAMP !== 0) continue;
      await new Promise((resolve) => setTimeout(resolve, RAMP_MS));
      await this.#until(() => index - this.#ready < UNDER_WAY, "subscriptions to begin");
    }
    await this.#until(() => this.#ready === count, "subscriptions to begin");
  }

  /** Resolves when so many changes were delivered in all; rejects after a minute, or when there were more. */
  async reached(total: number): Promise<void> {
    await this.#until(() => this.#delivered >= total, `${total} deliveries`);
    if (this.#delivered > total) throw new Error(`${this.#delivered} deliveries where ${total} were due`);
  }

  /** Closes every socket. */
  close(): void {
    this.#closing = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  async #until(isReached: () => boolean, what: string): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve, reject) => {
      const failed = () =>
        reject(
          this.#fault ??
            new Error(`waited in vain for ${what}: ${this.#ready} open, ${this.#delivered} delivered`),
        );
      if (this.#fault !== null) return failed();
      if (isReached()) return resolve();
      timer = setTimeout(failed, PATIENCE_MS);
      this.#awaited = { isReached: () => this.#fault !== null || isReached(), resolve };
    });
    clearTimeout(timer);
    this.#awaited = null;
    if (this.#fault !== null) throw this.#fault;
  }

  #check(): void {
    if (this.#awaited?.isReached() === true) this.#awaited.resolve();
  }

  #fail(error: Error): void {
    if (this.#closing) return;
    this.#fault ??= error;
    this.#check();
  }

  #connect(index: number): void {
    const { port, subscribe, onDelivery } = this.#options;
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    this.#sockets.push(socket);
    const send = (content: object) => socket.write(clientFrame("text", Buffer.from(JSON.stringify(content))));
    let isReady = false;
    const begun = () => {
      isReady = true;
      this.#ready += 1;
      this.#check();
    };
    const reader = new FrameReader({
      text: (payload) => {
        if (isReady) {
          if (!payload.includes(CHANGE)) return;
          this.#delivered += 1;
          this.#sample ??= payload.toString();
          onDelivery?.(index, payload);
          this.#check();
        } else if (subscribe !== null && payload.includes(ACK)) {
          send({ id: operationId(index), type: "subscribe", payload: subscribe(index) });
        } else if (payload.includes(NEXT)) begun();
        else this.#fail(new Error(`the server said ${payload.toString()}`));
      },
      ping: (payload) => socket.write(clientFrame("pong", payload)),
      close: (payload) =>
        this.#fail(new Error(`the server closed a socket: ${payload.subarray(2).toString()}`)),
    });
    socket.on("connect", () => socket.write(handshake(port)));
    let head: string | null = "";
    socket.on("data", (chunk: Buffer) => {
      if (head === null) return reader.feed(chunk);
      head += chunk.toString("latin1");
      const end = head.indexOf(HEAD_END);
      if (end < 0) return;
      if (!head.startsWith("HTTP/1.1 101")) return this.#fail(new Error(`the server said ${head}`));
      const rest = head.slice(end + HEAD_END.length);
      head = null;
      if (subscribe === null) begun();
      else send({ type: "connection_init" });
      if (rest !== "") reader.feed(Buffer.from(rest, "latin1"));
    });
    socket.on("error", (error) => this.#fail(error));
    socket.on("close", () => this.#fail(new Error("the server cut a socket")));
  }
}

/** As long as the ids clients make, and different for each. */
function operationId(index: number): string {
  return `0a6f5b4e-57c1-4d0e-9a34-${String(index).padStart(12, "0")}`;
}

function handshake(port: number): string {
  return (
    `GET /graphql HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
    "Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n"
  );
}
