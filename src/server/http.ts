import { createServer as createHttpServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { GraphQLSchema } from "graphql";
import type { Log } from "../log.ts";
import { OPEN_VIEWER } from "../resolvers/context.ts";
import type { Context, Viewer } from "../resolvers/context.ts";
import { createGraphiql } from "./graphiql/graphiql.ts";
import { LIMITS } from "./limits.ts";
import { listen } from "./listening.ts";
import { createMask } from "./masking.ts";
import { createDoorkeeper, isLoopback } from "./origins.ts";
import { createProbes, json, pathOf, type Status } from "./probes.ts";
import { createExecution } from "./shared-execution.ts";
import type { Execution } from "./shared-execution.ts";
import { createSse } from "./streams/sse.ts";
import { attachWebSocket } from "./streams/websocket.ts";
import { createQueries } from "./writing/queries.ts";
import { createAnswer } from "./yoga.ts";

/** What to serve. */
export interface ServerOptions {
  readonly schema: GraphQLSchema;
  readonly contextFor: (viewer: Viewer) => Context;
  /** Serves GraphiQL to browsers that open the endpoint. */
  readonly graphiql: boolean;
  /** How this process is doing: what `/readyz` says. */
  readonly status: Status;
  readonly log: Log;
  /** Origins such as `https://bank.example` whose pages may use the API. */
  readonly origins: readonly string[];
}

/** One HTTP server with all transports on it. */
export interface ApiServer {
  /** Throws PORT_IN_USE, or SETTINGS_INVALID for an address that cannot be listened on. */
  listen(host: string, port: number): Promise<{ readonly url: string }>;
  /** Not ready any more, no new connections; settles when the last answer and the last stream have ended. */
  drain(): Promise<void>;
  /** Cuts what is left. Safe to repeat. */
  close(): Promise<void>;
}

const ENDPOINT = "/graphql";
const FILES = "/graphiql/";

/** A path with what answers it. Nothing it throws reaches the client unmasked. */
type Route = (request: IncomingMessage, response: ServerResponse) => Promise<void> | void;

/** Serves `/graphql` (queries, SSE, WebSocket, GraphiQL), `/`, `/healthz`, `/readyz` and, where there are metrics, `/metrics`. */
export function createServer(options: ServerOptions): ApiServer {
  const { schema, contextFor, log } = options;
  let host = "";
  let draining = false;
  const door = createDoorkeeper({ origins: options.origins, loopbackOnly: () => isLoopback(host) });
  const mask = createMask(log);
  const execution = createExecution({ schema, contextFor, mask });
  const { clock } = contextFor(OPEN_VIEWER);
  const routes = createRoutes(options, { execution, isDraining: () => draining });
  const server = createHttpServer((request, response) => {
    secure(response);
    if (draining) response.setHeader("connection", "close");
    response.once("close", () => draining && server.closeIdleConnections());
    const refusal = door.refusal(request);
    const allowed = door.allowedOrigin(request);
    if (allowed !== null) allow(response, allowed);
    const route =
      refusal === null
        ? routes(request)
        : () => fail(response, { status: 403, code: "FORBIDDEN", message: refusal });
    Promise.resolve(route(request, response)).catch((error: unknown) => {
      const { message, extensions } = mask(error);
      fail(response, { status: 500, code: "INTERNAL_ERROR", message, id: String(extensions.id) });
    });
  });
  server.requestTimeout = 30_000;
  server.headersTimeout = 10_000;
  const sockets = attachWebSocket({
    server,
    execution,
    path: ENDPOINT,
    refusal: (request) => door.refusal(request),
    clock,
    log,
  });
  return {
    async listen(address, port) {
      host = address;
      return listen(server, address, port);
    },
    async drain() {
      draining = true;
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      await sockets.drain();
      await closed;
    },
    async close() {
      draining = true;
      sockets.close();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

/** What the routes share with the sockets. */
interface Shared {
  readonly execution: Execution;
  readonly isDraining: () => boolean;
}

/** Finds the route of a request. */
function createRoutes(options: ServerOptions, shared: Shared): (request: IncomingMessage) => Route {
  const { schema, contextFor, log } = options;
  const { execution, isDraining } = shared;
  const otherwise = createAnswer({ schema, contextFor, mask: execution.mask, path: ENDPOINT });
  const answer = createQueries({ execution, path: ENDPOINT, otherwise });
  const sse = createSse({ execution, clock: contextFor(OPEN_VIEWER).clock, log });
  const probes = createProbes({
    ...options.status,
    reasons: () => (isDraining() ? ["stopping: streams are ending"] : options.status.reasons()),
  });
  const graphiql = options.graphiql ? createGraphiql({ schema, endpoint: ENDPOINT, filesPath: FILES }) : null;
  const notFound = lost([ENDPOINT, ...probes.paths]);
  const endpoint: Route = async (request, response) => {
    if (request.method === "OPTIONS") return preflight(response);
    if (graphiql !== null && wantsPage(request)) return graphiql.page(response);
    const fault = unacceptable(request);
    if (fault !== null) return fail(response, fault);
    return wantsStream(request) ? sse.handle(request, response) : answer(request, response);
  };
  return (request) => {
    const path = pathOf(request);
    if (path === ENDPOINT) return endpoint;
    if (probes.paths.includes(path)) return (_, response) => probes.answer(path, response);
    if (graphiql === null) return notFound;
    if (path === "/") return (_, response) => redirect(response, ENDPOINT);
    return async (_, response) => {
      const gzip = /\bgzip\b/.test(request.headers["accept-encoding"] ?? "");
      if (!(await graphiql.file(path, { gzip }, response))) await notFound(request, response);
    };
  };
}

/** Browsers that open the endpoint itself, rather than fetch from it. */
function wantsPage({ method, url = "", headers }: IncomingMessage): boolean {
  return method === "GET" && (headers.accept ?? "").includes("text/html") && !/[?&]query=/.test(url);
}

/** Clients that take both get JSON: several send `text/event-stream` with every query. */
function wantsStream({ headers: { accept = "" } }: IncomingMessage): boolean {
  return accept.includes("text/event-stream") && !accept.includes("json");
}

/** A reason not to read a request any further; null when there is none. */
function unacceptable({ method, url, headers }: IncomingMessage): Failure | null {
  if (method === "GET") return unreadable(url);
  if (method !== "POST") return null;
  if (!/^application\/(graphql\+)?json\s*(;|$)/i.test(headers["content-type"] ?? "")) {
    return { status: 415, code: "UNSUPPORTED_MEDIA_TYPE", message: "Send application/json." };
  }
  if ((headers["content-encoding"] ?? "identity") !== "identity") {
    return { status: 415, code: "UNSUPPORTED_MEDIA_TYPE", message: "Send the body uncompressed." };
  }
  if (Number(headers["content-length"] ?? 0) > LIMITS.maxBodyBytes) {
    return { status: 413, code: "TOO_LARGE", message: `A request has at most ${LIMITS.maxBodyBytes} bytes.` };
  }
  return null;
}

/** What of an address has to be JSON and is none. */
function unreadable(url = ""): Failure | null {
  const params = new URLSearchParams(url.split("?").slice(1).join("?"));
  for (const name of ["variables", "extensions"]) {
    try {
      JSON.parse(params.get(name) || "null");
    } catch {
      return { status: 400, code: "BAD_USER_INPUT", message: `\`${name}\` is not JSON.` };
    }
  }
  return null;
}

function secure(response: ServerResponse): void {
  response.setHeader("cache-control", "no-store");
  response.setHeader("x-content-type-options", "nosniff");
  response.setHeader("x-frame-options", "DENY");
  response.setHeader("referrer-policy", "no-referrer");
  response.setHeader("content-security-policy", "default-src 'none'; frame-ancestors 'none'");
}

function allow(response: ServerResponse, origin: string): void {
  response.setHeader("access-control-allow-origin", origin);
  response.setHeader("vary", "origin");
}

function preflight(response: ServerResponse): void {
  response.setHeader("allow", "GET, POST, OPTIONS");
  if (response.hasHeader("access-control-allow-origin")) {
    response.setHeader("access-control-allow-methods", "GET, POST");
    response.setHeader("access-control-allow-headers", "content-type, last-event-id");
    response.setHeader("access-control-max-age", "600");
  }
  response.statusCode = 204;
  response.end();
}

function redirect(response: ServerResponse, path: string): void {
  response.statusCode = 302;
  response.setHeader("location", path);
  response.end();
}

/** Answers for every path that is none by naming those that are. */
function lost(paths: readonly string[]): Route {
  const message = `There are ${paths.join(", ")}.`;
  return (_, response) => fail(response, { status: 404, code: "NOT_FOUND", message });
}

/** A refusal in the shape of a GraphQL answer, so that clients show it. */
interface Failure {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly id?: string;
}

function fail(response: ServerResponse, { status, code, message, id }: Failure): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  // The body, if there is one, was not read: the connection cannot go on.
  response.setHeader("connection", "close");
  json(response, status, {
    errors: [{ message, extensions: { code, ...(id === undefined ? {} : { id }) } }],
  });
}
