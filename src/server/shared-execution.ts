import { createSourceEventStream, execute } from "graphql";
import type { ExecutionResult, GraphQLError, GraphQLSchema } from "graphql";
import { OPEN_VIEWER } from "../resolvers/context.ts";
import type { Context, Viewer } from "../resolvers/context.ts";
import type { Mask } from "./masking.ts";
import { after, createOperations } from "./operations.ts";
import type { Operation, OperationRequest } from "./operations.ts";
import { createWriter } from "./writer.ts";

/** One answer of a subscription, written out. The same object for everyone who asked the same of the same frame. */
export interface Payload {
  /** JSON of the execution result. */
  readonly text: string;
  /** The same in UTF-8, made on first use. */
  readonly bytes: Buffer;
  /** What it answers: a frame. */
  readonly frame: unknown;
}

/** The answers of one subscription, pulled one by one. `return` ends it at once. */
export interface Payloads extends AsyncIterableIterator<Payload> {
  return(): Promise<IteratorResult<Payload>>;
}

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

/** Everyone who asks the same: their answers by frame. */
interface Kin {
  users: number;
  /** Made when a second one asks. */
  answers: WeakMap<object, Payload | Promise<Payload>> | null;
}

/** Makes an execution; use one for all transports, so that they share. */
export function createExecution({ schema, contextFor, mask }: ExecutionOptions): Execution {
  const operations = createOperations(schema);
  const writer = createWriter(schema);
  const kins = new Map<string, Kin>();

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
  const free = (key: string, kin: Kin): void => {
    kin.users -= 1;
    if (kin.users === 0) kins.delete(key);
  };

  return {
    mask,
    drain: () => contextFor(OPEN_VIEWER).hub.drain(),
    prepare(request) {
      const found = operations.prepare(request);
      return isOperation(found) ? found : found.map(mask);
    },
    async answer(operation, viewer) {
      try {
        return masked(await execute(argsOf(operation, contextFor(viewer))));
      } catch (error) {
        return failed(error);
      }
    },
    async subscribe(operation, viewer, resumeAt = null) {
      const args = argsOf(operation, contextFor(viewer));
      const begun = resumeAt === null ? operation : after(operation, resumeAt);
      const source = await createSourceEventStream({
        ...args,
        document: begun.document,
        variableValues: begun.variables,
      }).catch(failed);
      if (!isStream(source)) return masked(source);
      const key = `${viewer.scope}\n${operation.likeness}`;
      const kin = kins.get(key) ?? { users: 0, answers: null };
      kins.set(key, kin);
      kin.users += 1;
      const { contextValue } = args;
      return new Answers({ source, kin, operation, contextValue, answer, free: () => free(key, kin) });
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

function isStream(result: object): result is AsyncIterable<unknown> {
  return Symbol.asyncIterator in result;
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

interface AnswersOptions {
  readonly source: AsyncIterable<unknown>;
  readonly kin: Kin;
  readonly operation: Operation;
  readonly contextValue: Context;
  readonly answer: (operation: Operation, context: Context, frame: unknown) => Payload | Promise<Payload>;
  /** Called once, when the answers are over. */
  readonly free: () => void;
}

const OVER = { done: true, value: undefined } as const;

/** Answers to the frames of one source. Written out by hand: an async generator that waits cannot be ended from outside. */
class Answers implements Payloads {
  readonly #source: AsyncIterator<unknown>;
  readonly #kin: Kin;
  readonly #operation: Operation;
  readonly #context: Context;
  readonly #answer: AnswersOptions["answer"];
  #free: (() => void) | null;
  // Made once, not per answer.
  readonly #settle: (
    result: IteratorResult<unknown>,
  ) => IteratorResult<Payload> | Promise<IteratorResult<Payload>>;
  readonly #fail: (error: unknown) => Promise<never>;

  constructor({ source, kin, operation, contextValue, answer, free }: AnswersOptions) {
    this.#operation = operation;
    this.#context = contextValue;
    this.#source = source[Symbol.asyncIterator]();
    this.#kin = kin;
    this.#answer = answer;
    this.#free = free;
    this.#settle = ({ done, value }) => {
      if (done === true) {
        this.#release();
        return OVER;
      }
      const answered = this.#answerOf(value);
      return answered instanceof Promise
        ? answered.then((payload) => ({ done: false, value: payload }), this.#fail)
        : { done: false, value: answered };
    };
    this.#fail = async (error) => {
      await this.return();
      throw error;
    };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Payload>> {
    return this.#source.next().then(this.#settle, this.#fail);
  }

  async return(): Promise<IteratorResult<Payload>> {
    this.#release();
    await this.#source.return?.();
    return OVER;
  }

  #release(): void {
    this.#free?.();
    this.#free = null;
  }

  #answerOf(frame: unknown): Payload | Promise<Payload> {
    const isAlone = this.#kin.users === 1;
    if (isAlone || typeof frame !== "object" || frame === null)
      return this.#answer(this.#operation, this.#context, frame);
    const answers = (this.#kin.answers ??= new WeakMap());
    const known = answers.get(frame);
    if (known !== undefined) return known;
    const made = this.#answer(this.#operation, this.#context, frame);
    answers.set(frame, made);
    return made;
  }
}
