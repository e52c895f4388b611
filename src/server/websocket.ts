import type { IncomingMessage, Server } from "node:http";
import type { Duplex } from "node:stream";
import { GraphQLError } from "graphql";
import type { ExecutionArgs } from "graphql";
import { CloseCode, handleProtocols, makeServer } from "graphql-ws";
import { WebSocketServer } from "ws";
import type { WebSocket } from "ws";
import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import { OPEN_VIEWER } from "../resolvers/context.ts";
import { Link } from "./link.ts";
import type { Operation, OperationRequest } from "./operations.ts";
import { Pump } from "./pump.ts";
import { isOperation, isPayloads } from "./shared-execution.ts";
import type { Execution } from "./shared-execution.ts";

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

/** What a client subscribes with; its text is replaced by an equal one. */
interface Request extends OperationRequest {
  query: string;
}

/** What graphql-ws hands on from one hook to the next. */
interface Args extends ExecutionArgs {
  readonly operation: Operation;
  readonly link: Link;
  readonly id: string;
}

/**
 * GraphQL over WebSocket (graphql-transport-ws). graphql-ws keeps the protocol; this file gives it answers that are shared
 * (shared-execution.ts), and watches over the sockets: their origin, their size, their pace, their life and their end.
 */
export function attachWebSocket(options: WebSocketOptions): WebSockets {
  const { server, path, refusal, clock, execution } = options;
  const limits = { ...LIMITS, ...options.limits };
  const links = new Set<Link>();
  const stop = new AbortController();
  let isDraining = false;
  const door = new WebSocketServer({
    noServer: true,
    maxPayload: limits.maxPayloadBytes,
    handleProtocols,
    clientTracking: false,
    perMessageDeflate: false,
  });
  const serve = createEngine(options, limits);

  const upgrade = (request: IncomingMessage, stream: Duplex, head: Buffer) => {
    if (pathOf(request) !== path) return refuse(stream, "404 Not Found", "There is nothing here.");
    if (isDraining) return refuse(stream, "503 Service Unavailable", "The server is stopping.");
    const words = refusal(request);
    if (words !== null) return refuse(stream, "403 Forbidden", words);
    door.handleUpgrade(request, stream, head, (socket) => {
      const link = new Link(socket, stream, limits.bufferedBytes);
      links.add(link);
      socket.on("close", () => links.delete(link));
      serve(link, socket);
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
      for (const { socket } of links) socket.terminate();
    },
  };
}

/** Closes a socket when it is quiet, or at last. */
async function part(link: Link, late: Promise<void>): Promise<void> {
  const { socket } = link;
  const closed = new Promise((resolve) => socket.once("close", resolve));
  await Promise.race([quiet(link), late]);
  socket.close(DRAINING, "The server is stopping: connect again.");
  await closed;
}

/** Resolves when no operation is under way on a socket any more, and what was said about that is sent. */
async function quiet(link: Link): Promise<void> {
  if (link.open > 0) {
    await new Promise<void>((resolve) => {
      link.onQuiet = resolve;
      link.socket.once("close", () => resolve());
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
      const { socket } = link;
      if (link.isAlive) {
        link.isAlive = false;
        socket.ping();
      } else if (link.isCondemned || socket.bufferedAmount === 0) {
        socket.terminate();
      } else {
        link.isCondemned = true;
        socket.close(TOO_SLOW, "The client reads too slowly: connect again with the last cursor.");
      }
    }
  }
}

/** The protocol engine: hands it sockets one by one. */
function createEngine(
  options: WebSocketOptions,
  limits: WebSocketLimits,
): (link: Link, socket: WebSocket) => void {
  const { execution, log } = options;
  const onSubscribe = (link: Link, id: string, request: Request) => {
    if (link.open >= limits.maxOperations) {
      const words = `This socket has ${link.open} operations open already. End some, or open another socket.`;
      return [new GraphQLError(words, { extensions: { code: "TOO_MANY_OPERATIONS" } })];
    }
    const operation = execution.prepare(request);
    if (!isOperation(operation)) return operation;
    link.open += 1;
    // graphql-ws holds on to the message for as long as the operation lasts: let all of them hold the same text.
    request.query = operation.text;
    const { document, operationName, variables: variableValues } = operation;
    return { document, operationName, variableValues, operation, link, id, contextValue: {} };
  };

  const engine = makeServer<never, Link>({
    // The link waits instead: here the timer would be held on to for as long as the socket lives.
    connectionInitWaitTimeout: 0,
    onConnect: ({ extra }) => extra.greeted(),
    onSubscribe: ({ extra }, id, request) =>
      onSubscribe(extra, id, request) as Args | readonly GraphQLError[],
    onComplete: ({ extra }) => {
      extra.open -= 1;
      if (extra.open === 0) extra.onQuiet?.();
    },
    execute: (args) => execution.answer((args as Args).operation, OPEN_VIEWER),
    subscribe: async (args) => {
      const { operation, link, id } = args as Args;
      const result = await execution.subscribe(operation, OPEN_VIEWER);
      return isPayloads(result) ? new Pump(result, link, id) : result;
    },
    onError: (_connection, _id, _request, errors) => errors.map((error) => execution.mask(error).toJSON()),
  });

  return (link, socket) => {
    const closed = engine.opened(
      {
        protocol: socket.protocol,
        send: (text) => link.send(text),
        close: (code, reason) => socket.close(code, reason),
        onMessage: (take) => {
          socket.on("message", (bytes) => {
            take(String(bytes)).catch((error: unknown) => {
              log.error("a socket failed", {
                error: error instanceof Error ? (error.stack ?? error.message) : String(error),
              });
              socket.close(1011, "Internal error");
            });
          });
        },
      },
      link,
    );
    socket.on("error", (error) =>
      log.info("a socket was closed for its client's fault", { reason: error.message }),
    );
    socket.on("pong", () => {
      link.isAlive = true;
    });
    socket.on("close", (code, reason) => {
      link.greeted();
      void closed(code, String(reason));
    });
    link.awaitGreeting(limits.initMs, () =>
      socket.close(CloseCode.ConnectionInitialisationTimeout, "Connection initialisation timeout"),
    );
  };
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
