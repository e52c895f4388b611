import type { IncomingMessage, ServerResponse } from "node:http";
import { useEngine } from "@envelop/core";
import { execute, GraphQLError, parse, validate } from "graphql";
import type { ExecutionArgs, GraphQLSchema } from "graphql";
import { createYoga } from "graphql-yoga";
import { OPEN_VIEWER } from "../resolvers/context.ts";
import type { Context, Viewer } from "../resolvers/context.ts";
import { depthFault, LIMITS, parseOptions } from "./limits.ts";
import type { Mask } from "./masking.ts";
import { ownRules } from "./rules.ts";

/** What answering over HTTP needs. */
export interface YogaOptions {
  readonly schema: GraphQLSchema;
  readonly contextFor: (viewer: Viewer) => Context;
  readonly mask: Mask;
  /** Path of the endpoint, such as `/graphql`. */
  readonly path: string;
}

/** Answers one query; subscriptions go elsewhere (streams/sse.ts, streams/websocket.ts). */
export type Answer = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/** Whoever asks for a stream without saying so would get one without cursors to resume by; the files in `streams` give those. */
function refuseStream(): { readonly errors: readonly GraphQLError[] } {
  const message = "Subscriptions are served as `Accept: text/event-stream`, or over WebSocket.";
  return { errors: [new GraphQLError(message, { extensions: { code: "BAD_USER_INPUT" } })] };
}

/**
 * GraphQL over HTTP by graphql-yoga, everything beside that switched off. graphql-js is its engine: the executor that comes
 * with it answers fields in another order than they were asked for.
 */
export function createAnswer({ schema, contextFor, mask, path }: YogaOptions): Answer {
  const yoga = createYoga({
    schema,
    graphqlEndpoint: path,
    context: () => contextFor(OPEN_VIEWER),
    maskedErrors: { maskError: mask },
    plugins: [
      useEngine({
        parse: (source, options) => parse(source, { ...options, ...parseOptions }),
        validate,
        execute: (args: ExecutionArgs) => {
          const fault = depthFault(args.variableValues);
          return fault === null ? execute(args) : { errors: [fault] };
        },
        subscribe: refuseStream,
        // Added to the rules that yoga starts with: giving those again would report every fault twice.
        specifiedRules: [...ownRules],
      }),
    ],
    maxRequestBodySize: LIMITS.maxBodyBytes,
    batching: false,
    cors: false,
    graphiql: false,
    landingPage: false,
    logging: false,
    multipart: false,
  });
  return async (request, response) => {
    await yoga(request, response);
  };
}
