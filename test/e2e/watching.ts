import { createClient as createSseClient } from "graphql-sse";
import { createClient } from "graphql-ws";
import { WebSocket } from "ws";

/** One frame of a subscription, as it came. */
export type SeenFrame = Readonly<Record<string, unknown>> & { readonly __typename: string };

/** A subscriber that writes down everything it gets. */
export interface Watcher {
  readonly frames: readonly SeenFrame[];
  /** What ended it, if anything did. */
  readonly failure: () => unknown;
  stop(): Promise<void>;
}

/** How to subscribe. */
export interface Watching {
  readonly url: string;
  readonly query: string;
  readonly variables?: Readonly<Record<string, unknown>>;
}

interface Sink {
  next(result: { readonly data?: Readonly<Record<string, unknown>> | null }): void;
  error(error: unknown): void;
  complete(): void;
}

function written(begin: (sink: Sink) => () => void, dispose: () => void | Promise<void>): Watcher {
  const frames: SeenFrame[] = [];
  let failed: unknown = null;
  const end = begin({
    next: ({ data }) => {
      for (const frame of Object.values(data ?? {})) frames.push(frame as SeenFrame);
    },
    error: (error) => (failed = error),
    complete: () => {},
  });
  return {
    frames,
    failure: () => failed,
    stop: async () => {
      end();
      await dispose();
    },
  };
}

/** Subscribes over WebSocket, as a frontend with graphql-ws does. */
export function watchWebSocket({ url, query, variables = {} }: Watching): Watcher {
  const client = createClient({
    url: `${url.replace(/^http/, "ws")}/graphql`,
    webSocketImpl: WebSocket,
    retryAttempts: 0,
    lazy: false,
  });
  return written(
    (sink) => client.subscribe({ query, variables }, sink),
    () => client.dispose(),
  );
}

/** Subscribes over SSE, as a frontend with graphql-sse does. */
export function watchSse({ url, query, variables = {} }: Watching): Watcher {
  const client = createSseClient({ url: `${url}/graphql`, retryAttempts: 0 });
  return written(
    (sink) => client.subscribe({ query, variables }, sink),
    () => client.dispose(),
  );
}

/** Asks a query once. Throws what the API objects to. */
export async function ask<T>({ url, query, variables = {} }: Watching): Promise<T> {
  const response = await fetch(`${url}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ query, variables }),
  });
  const answer = (await response.json()) as { readonly data?: T; readonly errors?: unknown };
  if (answer.data === undefined || answer.errors !== undefined)
    throw new Error(JSON.stringify(answer.errors ?? answer));
  return answer.data;
}
