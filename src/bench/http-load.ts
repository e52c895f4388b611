import { connect } from "node:net";
import type { Socket } from "node:net";

const CONNECTIONS = 16;
const PATIENCE_MS = 30_000;
const HEAD_END = Buffer.from("\r\n\r\n");

/** A request to send again and again, and where. */
export interface HttpLoadOptions {
  readonly port: number;
  readonly path: string;
  readonly body: string;
  /** The bytes every answer must have; null to take the first answer's. */
  readonly expected: Buffer | null;
}

/** HTTP clients on raw sockets, kept alive for a run, each with one request under way. */
export class HttpLoad {
  readonly #request: Buffer;
  readonly #port: number;
  #expected: Buffer | null;

  constructor({ port, path, body, expected }: HttpLoadOptions) {
    this.#port = port;
    this.#expected = expected;
    this.#request = Buffer.from(
      `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAccept: application/json\r\n` +
        `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    );
  }

  /** The bytes every answer had. Throws before the first. */
  get answer(): Buffer {
    if (this.#expected === null) throw new Error("nothing was answered yet");
    return this.#expected;
  }

  /** Sends so many requests over sixteen connections; rejects when any answer is not 200 with the expected bytes. */
  async run(requests: number): Promise<number> {
    const sockets = await Promise.all(Array.from({ length: CONNECTIONS }, () => opened(this.#port)));
    let left = requests;
    const take = () => {
      left -= 1;
      return left >= 0;
    };
    try {
      await Promise.all(sockets.map((socket) => this.#drive(socket, take)));
    } finally {
      for (const socket of sockets) socket.destroy();
    }
    return requests;
  }

  #drive(socket: Socket, take: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      let held: Buffer[] = [];
      const end = (error: Error | null) => {
        socket.off("data", onData).off("error", end).off("close", cut);
        if (error === null) resolve();
        else reject(error);
      };
      const cut = () => end(new Error("the server cut a connection"));
      const next = () => {
        held = [];
        if (take()) socket.write(this.#request);
        else end(null);
      };
      const onData = (chunk: Buffer) => {
        held.push(chunk);
        try {
          const body = bodyOf(held.length === 1 ? chunk : Buffer.concat(held));
          if (body === null) return;
          this.#expected ??= Buffer.from(body);
          if (!body.equals(this.#expected))
            throw new Error(`another answer: ${body.subarray(0, 500).toString()}`);
          next();
        } catch (error) {
          end(error instanceof Error ? error : new Error(String(error)));
        }
      };
      socket.on("data", onData).on("error", end).on("close", cut);
      next();
    });
  }
}

function opened(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    socket.setTimeout(PATIENCE_MS, () => socket.destroy(new Error("a request was never answered")));
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.off("error", reject);
      resolve(socket);
    });
  });
}

/** The body of an answer; null while it is not all there. Throws unless it is a 200 that tells its length. */
export function bodyOf(bytes: Buffer): Buffer | null {
  const end = bytes.indexOf(HEAD_END);
  if (end < 0) return null;
  const head = bytes.toString("latin1", 0, end);
  const length = /\r\ncontent-length: (\d+)/i.exec(head)?.[1];
  if (!head.startsWith("HTTP/1.1 200") || length === undefined)
    throw new Error(`answered ${bytes.toString()}`);
  const start = end + HEAD_END.length;
  return bytes.length < start + Number(length) ? null : bytes.subarray(start, start + Number(length));
}
