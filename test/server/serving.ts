import { createServer } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { buildSchema, GraphQLObjectType } from "graphql";
import type { GraphQLSchema } from "graphql";
import { silentLog } from "../../src/log.ts";
import type { Context } from "../../src/resolvers/context.ts";
import type { Frame } from "../../src/resolvers/frames/frames.ts";
import type { DeliveryMode } from "../../src/updates/watch.ts";
import { frames } from "../../src/resolvers/updates.ts";
import { createMask } from "../../src/server/masking.ts";
import { createExecution } from "../../src/server/shared-execution.ts";
import { createSse } from "../../src/server/streams/sse.ts";
import type { Sse } from "../../src/server/streams/sse.ts";
import { attachWebSocket } from "../../src/server/streams/websocket.ts";
import type { WebSocketLimits, WebSockets } from "../../src/server/streams/websocket.ts";
import type { HubLimits } from "../../src/updates/limits.ts";
import { world } from "../updates/world.ts";
import type { World } from "../updates/world.ts";

const SDL = /* GraphQL */ `
  type Query {
    hello: String
    broken: String
  }
  type Mutation {
    touch: Int
  }
  type Frame {
    kind: String!
    cursor: String
    customerId: String
    revision: Int
    missed: Int
    reason: String
    "How often this frame was executed, in this process."
    executed: Int!
    pad: String
  }
  enum Mode {
    LATEST
    EVERY
  }
  type Subscription {
    customerUpdates(customerId: ID!, after: String, mode: Mode = LATEST): Frame!
  }
`;

interface Args {
  readonly customerId: string;
  readonly after?: string | null;
  readonly mode: DeliveryMode;
}

/** A schema of the same shape as the product's, as small as it can be. */
export function smallSchema(count: { executions: number; pad: string }): GraphQLSchema {
  const schema = buildSchema(SDL);
  const field = (type: string, name: string) => {
    const found = schema.getType(type);
    if (!(found instanceof GraphQLObjectType)) throw new Error(type);
    const each = found.getFields()[name];
    if (each === undefined) throw new Error(name);
    return each;
  };
  field("Query", "hello").resolve = () => "world";
  field("Query", "broken").resolve = () => {
    throw new Error("password is hunter2");
  };
  field("Mutation", "touch").resolve = () => 1;
  const updates = field("Subscription", "customerUpdates");
  updates.subscribe = (_: unknown, args: Args, context: Context) =>
    frames(
      context,
      { field: "customerUpdates", customerId: args.customerId },
      { after: args.after ?? null, mode: args.mode },
    );
  updates.resolve = (frame: unknown) => frame;
  const shown = (frame: Frame) => {
    if (frame.kind === "change") return frame.customer;
    if (frame.kind !== "snapshot" || frame.items.of !== "customers") return undefined;
    return frame.items.customers[0];
  };
  field("Frame", "customerId").resolve = (frame: Frame) => shown(frame)?.customerId;
  field("Frame", "revision").resolve = (frame: Frame) =>
    frame.kind === "change" ? frame.revision : shown(frame)?.revision;
  field("Frame", "pad").resolve = () => count.pad;
  field("Frame", "executed").resolve = () => (count.executions += 1);
  return schema;
}

export interface Serving extends World {
  readonly url: string;
  readonly http: Server;
  readonly sockets: WebSockets;
  readonly sse: Sse;
  readonly count: { executions: number; pad: string };
  stop(): Promise<void>;
}

/** The small schema over real sockets on a free port. */
export async function serving(
  options: { hub?: Partial<HubLimits>; socket?: Partial<WebSocketLimits> } = {},
): Promise<Serving> {
  const around = world(options.hub);
  const count = { executions: 0, pad: "" };
  const contextFor = () => around.context;
  const execution = createExecution({
    schema: smallSchema(count),
    contextFor,
    mask: createMask(silentLog),
  });
  const { clock } = around;
  const sse = createSse({ execution, clock, log: silentLog });
  const http = createServer((request, response) => void sse.handle(request, response));
  const sockets = attachWebSocket({
    server: http,
    execution,
    path: "/graphql",
    refusal: ({ headers }) => (headers.origin === "http://evil.example" ? "not you" : null),
    clock,
    log: silentLog,
    ...(options.socket === undefined ? {} : { limits: options.socket }),
  });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  const { port } = http.address() as AddressInfo;
  return Object.assign(around, {
    url: `127.0.0.1:${port}/graphql`,
    http,
    sockets,
    sse,
    count,
    stop: async () => {
      sockets.close();
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
      await around.close();
    },
  });
}

/** Waits until something holds, giving sockets their turns; fails after ten seconds. */
export async function eventually(holds: () => boolean): Promise<void> {
  const end = Date.now() + 10_000;
  while (!holds()) {
    if (Date.now() > end) throw new Error(`it never came true: ${String(holds)}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
