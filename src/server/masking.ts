import { randomUUID } from "node:crypto";
import { GraphQLError } from "graphql";
import { codeOf } from "../errors.ts";
import type { ErrorCode } from "../errors.ts";
import { reported, type Log } from "../log.ts";

/** Failures whose words were written for the client. Of every other one the client gets an id, and the log the rest. */
const SHOWN: ReadonlySet<ErrorCode> = new Set(["BAD_USER_INPUT", "CURSOR_INVALID", "NOT_FOUND"]);

/** Failures of the world that pass: the client is told to ask again. Whoever looks after that part of the world logs them. */
const PASSING: ReadonlyMap<ErrorCode | null, string> = new Map([
  ["STORE_UNAVAILABLE", "Customers cannot be read at the moment. Ask again in a few seconds."],
  ["UPDATES_UNAVAILABLE", "Updates cannot be read at the moment. Subscribe again in a few seconds."],
]);

/** Turns whatever was thrown into what a client may see. */
export type Mask = (error: unknown) => GraphQLError;

/**
 * Makes the one mask that HTTP, SSE and WebSocket share. Errors of the GraphQL language itself (syntax, validation, variables)
 * keep their words; ours keep theirs when `SHOWN`; anything else becomes INTERNAL_ERROR with an id to look for in the log.
 */
export function createMask(log: Log): Mask {
  return (error) => {
    const located = error instanceof GraphQLError ? error : null;
    const cause = rootOf(error);
    if (cause instanceof GraphQLError) return withCode(cause, located ?? cause);
    const code = codeOf(cause);
    if (code !== null && SHOWN.has(code)) {
      return rewritten(located, cause instanceof Error ? cause.message : "", { code });
    }
    const passing = PASSING.get(code);
    if (passing !== undefined) return rewritten(located, passing, { code, retryable: true });
    const id = randomUUID();
    log.error("an answer failed", {
      id,
      path: located?.path?.join("."),
      ...reported(cause),
    });
    return rewritten(located, `Internal error. Its details are in the server's log under ${id}.`, {
      code: "INTERNAL_ERROR",
      id,
    });
  };
}

/** What was thrown in the first place: resolvers' errors arrive wrapped, once or several times. */
function rootOf(error: unknown): unknown {
  let root = error;
  while (root instanceof GraphQLError && root.originalError !== undefined) root = root.originalError;
  return root;
}

function withCode(cause: GraphQLError, located: GraphQLError): GraphQLError {
  const extensions = { ...cause.extensions, ...located.extensions };
  const code = extensions.code ?? (located.message.startsWith("Syntax Error") ? PARSE : VALIDATION);
  return rewritten(located, located.message, { ...extensions, code });
}

const PARSE = "GRAPHQL_PARSE_FAILED";
const VALIDATION = "GRAPHQL_VALIDATION_FAILED";

function rewritten(
  located: GraphQLError | null,
  message: string,
  extensions: Record<string, unknown>,
): GraphQLError {
  return new GraphQLError(message, {
    nodes: located?.nodes ?? null,
    source: located?.source ?? null,
    positions: located?.positions ?? null,
    path: located?.path ?? null,
    extensions,
  });
}
