import { createSourceEventStream, execute } from "graphql";
import type { ExecutionResult, GraphQLError, GraphQLSchema } from "graphql";
import { OPEN_VIEWER } from "../resolvers/context.ts";
import type { Context, Viewer } from "../resolvers/context.ts";
import type { Supply } from "../resolvers/frames/taker.ts";
import type { Mask } from "./masking.ts";
import { after, createOperations } from "./operations.ts";
import type { Operation, OperationRequest } from "./operations.ts";
import { Answers } from "./writing/answers.ts";
import type { AnswersOptions, Payload, Payloads } from "./writing/answers.ts";
import { createWriter } from "./writing/writer.ts";

/**
 * Executes operations for WebSocket and SSE.
 *
 * Executing and writing out a frame for each of thousands who watch the same is what makes fan-out slow. Frames are shared
 * objects, so the answer is remembered per frame for as long as the frame lives, under the operation and the viewer's scope:
 * executed once, written once, sent to all as the same bytes. Viewers of different scopes never share.
 */
export interface Execution {
  /** The operation, or why it cannot be executed (masked, for the client). */
  prepare(request: OperationRequest): Operation | readonly GraphQLError[];
  /** A query's answer as text; null for whatever is no query, has errors, or has to be executed by graphql-js. Never rejects. */
  write(request: OperationRequest, viewer: Viewer): Promise<string | null>;
  /** A query's or mutation's answer, errors masked. Never rejects. */
  answer(operation: Operation, viewer: Viewer): Promise<ExecutionResult>;
  /** A subscription's answers, or why there are none. With `resumeAt` it goes on there unless the operation says otherwise. */
  subscribe(
    operation: Operation,
    viewer: Viewer,
    resumeAt?: string | null,
  ): Promise<Payloads | ExecutionResult>;
  /** Ends every subscription, and each later one at once, with a code that says: connect again. */
  drain(): void;
  /** Turns what was thrown into what the client may see. */
  readonly mask: Mask;
}

/** What executing needs. */
export interface ExecutionOptions {
  readonly schema: GraphQLSchema;
  readonly contextFor: (viewer: Viewer) => Context;
  readonly mask: Mask;
}

/** Makes an execution; use one for all transports, so that they share. */
export function createExecution({ schema, contextFor, mask }: ExecutionOptions): Execution {
  const operations = createOperations(schema);
  const writer = createWriter(schema);

  const argsOf = (operation: Operation, contextValue: Context) => ({
    schema,
    document: operation.document,
    operationName: operation.operationName,
    variableValues: operation.variables,
    contextValue,
  });
  const masked = (result: ExecutionResult): ExecutionResult =>
    result.errors === undefined ? result : { ...result, errors: result.errors.map(mask) };
  const failed = (error: unknown): ExecutionResult => ({ errors: [mask(error)] });

  const executed = (operation: Operation, contextValue: Context, frame: unknown) => {
    const result = execute({ ...argsOf(operation, contextValue), rootValue: frame });
    return result instanceof Promise
      ? result.then((settled) => new Written(JSON.stringify(masked(settled)), frame))
      : new Written(JSON.stringify(masked(result)), frame);
  };
  const answer: AnswersOptions["answer"] = (operation, context, frame) => {
    const { document, definition, variables } = operation;
    const text = writer.write({ document, definition, variables, root: frame, context });
    const written = (found: string | null) =>
      found === null ? executed(operation, context, frame) : new Written(found, frame);
    return text instanceof Promise ? text.then(written) : written(text);
  };
  const answers = new Answers({ answer });
  // One for all subscriptions of a viewer.
  const contexts = new WeakMap<Viewer, Context>();
  const lastingContext = (viewer: Viewer): Context => {
    const known = contexts.get(viewer) ?? contextFor(viewer);
    contexts.set(viewer, known);
    return known;
  };

  return {
    mask,
    drain: () => contextFor(OPEN_VIEWER).hub.drain(),
    prepare(request) {
      const found = operations.prepare(request);
      return isOperation(found) ? found : found.map(mask);
    },
    async write(request, viewer) {
      const operation = operations.prepare(request);
      if (!isOperation(operation) || operation.definition.operation !== "query") return null;
      const { document, definition, variables } = operation;
      return writer.write({ document, definition, variables, root: undefined, context: contextFor(viewer) });
    },
    async answer(operation, viewer) {
      try {
        return masked(await execute(argsOf(operation, contextFor(viewer))));
      } catch (error) {
        return failed(error);
      }
    },
    async subscribe(operation, viewer, resumeAt = null) {
      const context = lastingContext(viewer);
      const begun = resumeAt === null ? operation : after(operation, resumeAt);
      const supply = await createSourceEventStream(argsOf(begun, context)).catch(failed);
      if (!(Symbol.asyncIterator in supply)) return masked(supply);
      if (!isSupply(supply)) throw new Error("a subscription gave something else than frames");
      return answers.begin(supply, { scope: viewer.scope, operation, context });
    },
  };
}

/** True for a request that can be executed. */
export function isOperation(found: Operation | readonly GraphQLError[]): found is Operation {
  return "document" in found;
}

/** True for the answers of a subscription, false for an answer that is there already. */
export function isPayloads(result: Payloads | ExecutionResult): result is Payloads {
  return Symbol.asyncIterator in result;
}

function isSupply(result: object): result is Supply<unknown> {
  return "demand" in result;
}

class Written implements Payload {
  readonly text: string;
  readonly frame: unknown;
  #bytes: Buffer | null = null;

  constructor(text: string, frame: unknown) {
    this.text = text;
    this.frame = frame;
  }

  get bytes(): Buffer {
    return (this.#bytes ??= Buffer.from(this.text));
  }
}
