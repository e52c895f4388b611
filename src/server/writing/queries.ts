import type { IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import { OPEN_VIEWER } from "../../resolvers/context.ts";
import { LIMITS } from "../limits.ts";
import type { OperationRequest } from "../operations.ts";
import type { Execution } from "../shared-execution.ts";
import type { Answer } from "../yoga.ts";

/** What answering the usual query needs. */
export interface QueriesOptions {
  readonly execution: Execution;
  /** Path of the endpoint, such as `/graphql`. */
  readonly path: string;
  /** Answers everything else. */
  readonly otherwise: Answer;
}

/** The content type answered, by what is accepted: what graphql-yoga chooses for the same. */
const ANSWERED = new Map([
  ["*/*", "application/json"],
  ["application/json", "application/json"],
  ["application/graphql-response+json", "application/graphql-response+json"],
  ["application/graphql-response+json, application/json", "application/graphql-response+json"],
  ["application/graphql-response+json,application/json", "application/graphql-response+json"],
  ["application/json, application/graphql-response+json", "application/json"],
]);
const SENT = /^application\/json(; ?charset=utf-8)?$/i;
const KNOWN = new Set(["query", "variables", "operationName"]);

/**
 * Answers what nearly all clients send, a valid query without a fault in its answer as `POST` of JSON, and hands everything
 * else on. graphql-yoga would give the same bytes, status and headers, at many times the cost.
 */
export function createQueries({ execution, path, otherwise }: QueriesOptions): Answer {
  return async (request, response) => {
    const type = ANSWERED.get(request.headers.accept ?? "*/*");
    if (type === undefined || !isUsual(request, path)) return otherwise(request, response);
    const body = await bodyOf(request);
    if (body === null || response.destroyed) return;
    const asked = requestIn(body);
    const text = asked === null ? null : await execution.write(asked, OPEN_VIEWER);
    if (text === null) return otherwise(Object.assign(request, { body: Readable.from([body]) }), response);
    response.setHeader("content-type", `${type}; charset=utf-8`);
    response.setHeader("content-length", Buffer.byteLength(text));
    response.end(text);
  };
}

/** A body of known length, within the limits, that is only JSON. */
function isUsual({ method, url, headers }: IncomingMessage, path: string): boolean {
  const length = Number(headers["content-length"] ?? Number.NaN);
  const isSent = method === "POST" && url === path && SENT.test(headers["content-type"] ?? "");
  return isSent && length > 0 && length <= LIMITS.maxBodyBytes && headers["transfer-encoding"] === undefined;
}

/** All bytes of a body; null when the client went away. */
function bodyOf(request: IncomingMessage): Promise<Buffer | null> {
  return new Promise((resolve) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.once("end", () => resolve(parts.length === 1 ? (parts[0] ?? null) : Buffer.concat(parts)));
    request.once("close", () => resolve(null));
    request.once("error", () => resolve(null));
  });
}

/** The request in a body; null for all that is not quite plain. */
function requestIn(body: Buffer): OperationRequest | null {
  const content = parsed(body);
  if (!isObject(content) || !Object.keys(content).every((key) => KNOWN.has(key))) return null;
  const { query, operationName = null, variables = null } = content;
  if (typeof query !== "string" || (variables !== null && !isObject(variables))) return null;
  if (operationName !== null && (typeof operationName !== "string" || operationName === "")) return null;
  return { query, operationName, variables };
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    return null;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
