import type { IncomingMessage, ServerResponse } from "node:http";
import type { ExecutionResult, GraphQLError } from "graphql";
import type { Clock } from "../../clock.ts";
import { Customer360Error } from "../../errors.ts";
import type { Log } from "../../log.ts";
import { OPEN_VIEWER } from "../../resolvers/context.ts";
import { LIMITS } from "../limits.ts";
import type { Operation, OperationRequest } from "../operations.ts";
import { isOperation, isPayloads } from "../shared-execution.ts";
import type { Execution } from "../shared-execution.ts";
import type { Payload, Payloads } from "../writing/answers.ts";

/** What serving event streams needs. */
export interface SseOptions {
  readonly execution: Execution;
  readonly clock: Clock;
  readonly log: Log;
  /** Time between comments that keep a connection alive, milliseconds; who took nothing in between is cut off. Default 12,000. */
  readonly keepAliveMs?: number;
}

/** GraphQL over server-sent events, as graphql-sse does it in its distinct connections mode. */
export interface Sse {
  /** Answers one request to the end, or until its client is gone. */
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>;
  /** Streams open now. */
  size(): number;
}

const KEEP_ALIVE_MS = 12_000;
const KEPT_ALIVE = ":\n\n";
const COMPLETE = "event: complete\ndata:\n\n";

interface Link {
  readonly response: ServerResponse;
  /** Bytes were waiting at the last tick, and nothing was taken since. */
  isStuck: boolean;
}

/**
 * Serves operations as event streams: the same frames, and the same bytes, as over WebSocket. Frames that a client can
 * resume behind carry their cursor as `id:`; a browser that reconnects sends it back as `Last-Event-ID`, which then counts
 * as `after`. Progress carries none, so that it never displaces the cursor of what was really delivered.
 */
export function createSse(options: SseOptions): Sse {
  const { execution, clock, log, keepAliveMs = KEEP_ALIVE_MS } = options;
  const links = new Set<Link>();
  let ticker: AbortController | null = null;

  const enter = (link: Link): void => {
    links.add(link);
    link.response.once("close", () => {
      links.delete(link);
      if (links.size > 0) return;
      ticker?.abort();
      ticker = null;
    });
    if (ticker !== null) return;
    ticker = new AbortController();
    void keepAlive(links, { clock, log, everyMs: keepAliveMs, signal: ticker.signal });
  };

  return {
    size: () => links.size,
    async handle(request, response) {
      const operation = await received(request, execution).catch((error: unknown) =>
        isGone(error) ? null : [execution.mask(error)],
      );
      if (operation === null || response.destroyed) return;
      if (!isOperation(operation)) return refuse(response, 400, operation);
      if (request.method !== "POST" && operation.definition.operation === "mutation") {
        response.setHeader("allow", "POST");
        return refuse(response, 405, [
          execution.mask(new Customer360Error("BAD_USER_INPUT", "Send mutations with POST.")),
        ]);
      }
      const result = await answer(execution, operation, lastSeen(request));
      const link: Link = { response, isStuck: false };
      if (response.destroyed) {
        if (isPayloads(result)) await result.return();
        return;
      }
      enter(link);
      open(response);
      if (isPayloads(result)) await pour(result, link, execution);
      else response.write(next(JSON.stringify(result), null));
      response.end(COMPLETE);
    },
  };
}

function answer(execution: Execution, operation: Operation, resumeAt: string | null) {
  return operation.definition.operation === "subscription"
    ? execution.subscribe(operation, OPEN_VIEWER, resumeAt)
    : execution.answer(operation, OPEN_VIEWER);
}

/** Writes payload after payload, each only when the client has taken those before. */
async function pour(payloads: Payloads, link: Link, execution: Execution): Promise<void> {
  const { response } = link;
  const leave = () => void payloads.return();
  response.once("close", leave);
  try {
    for (;;) {
      const result = await payloads.next();
      if (result.done === true || response.destroyed) return;
      if (!response.write(next(result.value.text, idOf(result.value)))) await drained(response);
      link.isStuck = false;
    }
  } catch (error) {
    const failed: ExecutionResult = { errors: [execution.mask(error)] };
    if (!response.destroyed) response.write(next(JSON.stringify(failed), null));
  } finally {
    response.off("close", leave);
    await payloads.return();
  }
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      response.off("drain", done);
      response.off("close", done);
      resolve();
    };
    response.once("drain", done);
    response.once("close", done);
  });
}

function open(response: ServerResponse): void {
  response.statusCode = 200;
  response.setHeader("content-type", "text/event-stream; charset=utf-8");
  response.setHeader("cache-control", "no-store, no-transform");
  response.setHeader("x-accel-buffering", "no");
  response.socket?.setNoDelay(true);
  response.write(KEPT_ALIVE);
}

function next(text: string, id: string | null): string {
  return id === null ? `event: next\ndata: ${text}\n\n` : `event: next\nid: ${id}\ndata: ${text}\n\n`;
}

const RESUMABLE: ReadonlySet<unknown> = new Set(["snapshot", "change", "gap"]);

/** The cursor of a frame that moves the client on, whatever fields it selected. */
function idOf({ frame }: Payload): string | null {
  if (typeof frame !== "object" || frame === null || !("kind" in frame) || !("cursor" in frame)) return null;
  return RESUMABLE.has(frame.kind) && typeof frame.cursor === "string" ? frame.cursor : null;
}

async function keepAlive(
  links: ReadonlySet<Link>,
  { clock, log, everyMs, signal }: { clock: Clock; log: Log; everyMs: number; signal: AbortSignal },
): Promise<void> {
  while (!signal.aborted) {
    await clock.wait(everyMs, signal);
    if (signal.aborted) return;
    for (const link of [...links]) {
      const { response } = link;
      if (response.writableLength === 0) {
        link.isStuck = false;
        response.write(KEPT_ALIVE);
      } else if (!link.isStuck) link.isStuck = true;
      else {
        log.info("a stream was cut off: its client did not read", { bytesWaiting: response.writableLength });
        response.destroy();
      }
    }
  }
}

function lastSeen(request: IncomingMessage): string | null {
  const given = request.headers["last-event-id"];
  return typeof given === "string" && given !== "" ? given : null;
}

/**
 * True for what reading a body ends with when its client left in the middle of it:
 * nobody waits for an answer, and nothing failed.
 */
function isGone(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ECONNRESET";
}

/** Reads the operation out of a request. Rejects with BAD_USER_INPUT. */
async function received(request: IncomingMessage, execution: Execution) {
  const given = request.method === "POST" ? await body(request) : query(request);
  return execution.prepare(given);
}

function query({ url = "/" }: IncomingMessage): OperationRequest {
  const params = new URL(url, "http://localhost").searchParams;
  return requestOf({
    query: params.get("query"),
    operationName: params.get("operationName"),
    variables: parsed(params.get("variables") ?? "null"),
  });
}

async function body(request: IncomingMessage): Promise<OperationRequest> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    const part = Buffer.from(chunk as Uint8Array);
    bytes += part.length;
    if (bytes > LIMITS.maxBodyBytes) throw bad(`A request has at most ${LIMITS.maxBodyBytes} bytes.`);
    chunks.push(part);
  }
  return requestOf(parsed(Buffer.concat(chunks).toString()));
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw bad("This is not JSON.");
  }
}

function requestOf(given: unknown): OperationRequest {
  if (!isRecord(given) || typeof given.query !== "string") throw bad("Send a GraphQL document as `query`.");
  const { operationName = null, variables = null } = given;
  if (operationName !== null && typeof operationName !== "string")
    throw bad("`operationName` has to be text.");
  if (variables !== null && !isRecord(variables)) throw bad("`variables` has to be an object.");
  return { query: given.query, operationName, variables };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function bad(words: string): Customer360Error {
  return new Customer360Error("BAD_USER_INPUT", words);
}

function refuse(response: ServerResponse, status: number, errors: readonly GraphQLError[]): void {
  response.statusCode = status;
  response.setHeader("content-type", "application/json; charset=utf-8");
  response.setHeader("connection", "close");
  response.end(JSON.stringify({ errors }));
}
