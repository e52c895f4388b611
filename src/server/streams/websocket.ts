import type { IncomingMessage, Server } from "node:http";
import type { Duplex } from "node:stream";
import type { Clock } from "../../clock.ts";
import type { Log } from "../../log.ts";
import type { Execution } from "../shared-execution.ts";
import { createDoor } from "./link.ts";
import type { Link } from "./link.ts";
import { chooseProtocol, createProtocol } from "./protocol.ts";

/** What serving WebSockets needs. */
export interface WebSocketOptions {
  readonly server: Server;
  readonly execution: Execution;
  /** Path of the endpoint, such as `/graphql`; sockets elsewhere are refused. */
  readonly path: string;
  /** Why a request is turned away, in words for the client; null when it is let in. */
  readonly refusal: (request: IncomingMessage) => string | null;
  readonly clock: Clock;
  readonly log: Log;
  readonly limits?: Partial<WebSocketLimits>;
}

/** Bounds of one socket. */
export interface WebSocketLimits {
  /** Bytes of a frame from the client; a longer one closes the socket with 1009. */
  readonly maxPayloadBytes: number;
  /** Operations open at once on one socket. */
  readonly maxOperations: number;
  /** A socket that says nothing for so long after opening is closed with 4408, milliseconds. */
  readonly initMs: number;
  /** Time between pings, milliseconds; a client that has not answered by the next one is gone. */
  readonly pingMs: number;
  /** Bytes that may wait in a socket before its subscriptions wait as well. */
  readonly bufferedBytes: number;
  /** How long streams have to end and sockets to close when the server drains, both together, milliseconds. */
  readonly drainMs: number;
}

const LIMITS: WebSocketLimits = {
  maxPayloadBytes: 65_536,
  maxOperations: 100,
  initMs: 3_000,
  pingMs: 12_000,
  bufferedBytes: 65_536,
  drainMs: 2_500,
};

/** Close codes after which clients come back by themselves. */
const DRAINING = 1012;
const TOO_SLOW = 1013;
/** What is left of the time to drain when sockets close whose streams are late. */
const CLOSING_MS = 500;

/** The sockets of a server. */
export interface WebSockets {
  /** Sockets open now. */
  size(): number;
  /** Drains the hub, and closes each socket with 1012 once its streams have ended, or are late. New ones are refused. */
  drain(): Promise<void>;
  /** Cuts whatever is left. Safe to repeat. */
  close(): void;
}

/**
 * GraphQL over WebSocket (graphql-transport-ws). graphql-ws keeps the protocol (protocol.ts); this
 * file watches over the sockets: their origin, their size, their life and their end.
 */
export function attachWebSocket(options: WebSocketOptions): WebSockets {
  const { server, path, refusal, clock, log, execution } = options;
  const limits = { ...LIMITS, ...options.limits };
  const links = new Set<Link>();
  const stop = new AbortController();
  let isDraining = false;
  const commons = { links, bufferedBytes: limits.bufferedBytes, log };
  const door = createDoor(limits.maxPayloadBytes, chooseProtocol);
  const serve = createProtocol({ execution, ...limits });

  const upgrade = (request: IncomingMessage, stream: Duplex, head: Buffer) => {
    if (pathOf(request) !== path) return refuse(stream, "404 Not Found", "There is nothing here.");
    if (isDraining) return refuse(stream, "503 Service Unavailable", "The server is stopping.");
    const words = refusal(request);
    if (words !== null) return refuse(stream, "403 Forbidden", words);
    door.handleUpgrade(request, stream, head, (link) => {
      link.enter(request.socket, commons);
      serve(link);
    });
  };
  server.on("upgrade", upgrade);
  void keepAlive(links, { clock, pingMs: limits.pingMs, signal: stop.signal });

  return {
    size: () => links.size,
    async drain() {
      isDraining = true;
      execution.drain();
      const late = clock.wait(Math.max(0, limits.drainMs - CLOSING_MS), stop.signal);
      const parted = [...links].map((link) => part(link, late));
      await within(limits.drainMs, clock, Promise.all(parted));
      this.close();
    },
    close() {
      stop.abort();
      isDraining = true;
      server.off("upgrade", upgrade);
      for (const link of links) link.terminate();
    },
  };
}

/** Closes a socket when it is quiet, or at last. */
async function part(link: Link, late: Promise<void>): Promise<void> {
  const closed = new Promise((resolve) => link.once("close", resolve));
  await Promise.race([quiet(link), late]);
  link.close(DRAINING, "The server is stopping: connect again.");
  await closed;
}

/** Resolves when no operation is under way on a socket any more, and what was said about that is sent. */
async function quiet(link: Link): Promise<void> {
  if (link.operations > 0) {
    await new Promise<void>((resolve) => {
      link.onQuiet = resolve;
      link.once("close", () => resolve());
    });
  }
  await new Promise((resolve) => setImmediate(resolve));
}

/** One ticker for all sockets: who did not answer the last ping is cut off, or told to come back when it did not read. */
async function keepAlive(
  links: ReadonlySet<Link>,
  { clock, pingMs, signal }: { clock: Clock; pingMs: number; signal: AbortSignal },
): Promise<void> {
  while (!signal.aborted) {
    await clock.wait(pingMs, signal);
    if (signal.aborted) return;
    for (const link of [...links]) {
      if (link.isAlive()) link.ping();
      else if (link.isCondemned || link.bufferedAmount === 0) link.terminate();
      else {
        link.isCondemned = true;
        link.close(TOO_SLOW, "The client reads too slowly: connect again with the last cursor.");
      }
    }
  }
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? "").split("?", 1)[0] ?? "";
}

function refuse(stream: Duplex, status: string, words: string): void {
  const body = `${words}\n`;
  stream.on("error", () => stream.destroy());
  stream.end(
    `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

/** Waits for something, but not longer than so many milliseconds. */
async function within(ms: number, clock: Clock, wanted: Promise<unknown>): Promise<void> {
  const enough = new AbortController();
  await Promise.race([wanted.then(() => undefined), clock.wait(ms, enough.signal)]);
  enough.abort();
}
