import { GraphQLError } from "graphql";
import type { ExecutionArgs } from "graphql";
import {
  CloseCode,
  handleProtocols,
  makeServer,
  MessageType,
  parseMessage,
  stringifyMessage,
} from "graphql-ws";
import type { WebSocket } from "graphql-ws";
import { OPEN_VIEWER } from "../../resolvers/context.ts";
import type { Operation, OperationRequest } from "../operations.ts";
import { isOperation, isPayloads } from "../shared-execution.ts";
import type { Execution } from "../shared-execution.ts";
import type { Link } from "./link.ts";
import { Pump } from "./pump.ts";
import type { Connection, Farewell } from "./pump.ts";

/** What serving the protocol needs. */
export interface ProtocolOptions {
  readonly execution: Execution;
  /** Operations open at once on one socket. */
  readonly maxOperations: number;
  /** A socket that says nothing for so long after opening is closed with 4408, milliseconds. */
  readonly initMs: number;
}

/** What graphql-ws hands on from one hook to the next. */
interface Args extends ExecutionArgs {
  readonly operation: Operation;
  /** Null for queries and mutations. */
  readonly pump: Pump | null;
}

/** The subprotocol of those a client offers, false when it is not among them. */
export const chooseProtocol: (offered: Set<string>) => string | false = handleProtocols;

/**
 * graphql-transport-ws for links handed over one by one. graphql-ws keeps the protocol: what may be said when, which ids are
 * taken, what ends with what. Only answering a subscription is taken out of its hands, because it would hold on to the
 * message, its arguments and a suspended function for as long as the subscription lasts.
 */
export function createProtocol({ execution, maxOperations, initMs }: ProtocolOptions): (link: Link) => void {
  const farewell: Farewell = {
    completed: (id) => stringifyMessage({ id, type: MessageType.Complete }),
    failed: (id, error) =>
      stringifyMessage({ id, type: MessageType.Error, payload: [execution.mask(error).toJSON()] }),
  };
  const onSubscribe = (connection: Connection, id: string, request: OperationRequest) => {
    const { extra: link } = connection;
    if (link.operations >= maxOperations) {
      const words = `This socket has ${link.operations} operations open already. End some, or open another socket.`;
      return [new GraphQLError(words, { extensions: { code: "TOO_MANY_OPERATIONS" } })];
    }
    const operation = execution.prepare(request);
    if (!isOperation(operation)) return operation;
    link.operations += 1;
    const { document, operationName, variables: variableValues, definition } = operation;
    const pump = definition.operation === "subscription" ? new Pump(connection, id, farewell) : null;
    return { document, operationName, variableValues, operation, pump, contextValue: {} };
  };

  const engine = makeServer<never, Link>({
    // The link waits instead: here the timer would be held on to for as long as the socket lives.
    connectionInitWaitTimeout: 0,
    onConnect: ({ extra }) => extra.greeted(),
    onSubscribe: (connection, id, request) =>
      onSubscribe(connection, id, request) as Args | readonly GraphQLError[],
    onComplete: ({ extra }) => extra.ended(),
    execute: (args) => execution.answer((args as Args).operation, OPEN_VIEWER),
    subscribe: async (args) => {
      const { operation, pump } = args as Args;
      const result = await execution.subscribe(operation, OPEN_VIEWER);
      if (!isPayloads(result)) return result;
      pump?.start(result);
      // graphql-ws waits for this and nothing else knows it, so both are garbage now.
      return new Promise<never>(() => {});
    },
    onError: (_connection, _id, _request, errors) => errors.map((error) => execution.mask(error).toJSON()),
  });

  return (link) => {
    link.onLeave(engine.opened(new Line(link), link));
    link.awaitGreeting(initMs, () =>
      link.close(CloseCode.ConnectionInitialisationTimeout, "Connection initialisation timeout"),
    );
  };
}

/** What only servers say. */
const OF_SERVERS: ReadonlySet<MessageType> = new Set([
  MessageType.ConnectionAck,
  MessageType.Next,
  MessageType.Error,
]);

/** A link as graphql-ws wants it. */
class Line implements WebSocket {
  readonly #link: Link;

  constructor(link: Link) {
    this.#link = link;
  }

  get protocol(): string {
    return this.#link.protocol;
  }

  send(text: string): Promise<void> | undefined {
    return this.#link.say(text);
  }

  close(code?: number, reason?: string): void {
    this.#link.close(code, reason);
  }

  onMessage(hear: (text: string) => Promise<void>): void {
    // What only servers say makes graphql-ws throw, and is its client's fault; everything else it throws is ours.
    this.#link.onMessage((text) =>
      hear(text).catch((error: unknown) => {
        const { type } = parseMessage(text);
        if (!OF_SERVERS.has(type)) throw error;
        const reason = `Unexpected message of type ${type} received`;
        this.#link.fail(reason);
        this.#link.close(CloseCode.BadRequest, reason);
      }),
    );
  }
}
