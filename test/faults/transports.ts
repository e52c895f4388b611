import { createClient } from "graphql-ws";
import { WebSocket } from "ws";

/** An operation as it is sent. */
export interface Operation {
  readonly query: string;
  readonly variables: Readonly<Record<string, unknown>>;
}

/** Who is told of what comes over a connection. */
export interface Told {
  /** The data of a payload. */
  data(data: unknown): void;
  /** Errors of GraphQL; a connection that breaks is none. */
  refused(errors: unknown): void;
}

/** Makes a connection for one operation; resolves once it is over, however it ended. */
export type Transport = (
  url: string,
  operation: Operation,
  told: Told & { readonly signal: AbortSignal },
) => Promise<void>;

/** `graphql-transport-ws`. */
export const overWebSocket: Transport = async (url, operation, { data, refused, signal }) => {
  const client = createClient({
    url: `${url.replace(/^http/, "ws")}/graphql`,
    webSocketImpl: WebSocket,
    retryAttempts: 0,
    lazy: true,
  });
  let stopListening = (): void => {};
  await new Promise<void>((resolve) => {
    const end = client.subscribe(operation, {
      next: (payload) => data(payload.data),
      error: (error) => {
        if (Array.isArray(error)) refused(error);
        resolve();
      },
      complete: resolve,
    });
    if (signal.aborted) end();
    signal.addEventListener("abort", end, { once: true });
    stopListening = () => signal.removeEventListener("abort", end);
  });
  stopListening();
  await client.dispose();
};

interface Payload {
  readonly data?: unknown;
  readonly errors?: unknown;
}

/** Server-sent events, distinct connections mode. */
export const overSse: Transport = async (url, operation, { data, refused, signal }) => {
  try {
    const response = await fetch(`${url}/graphql`, {
      method: "POST",
      headers: { "content-type": "application/json", accept: "text/event-stream" },
      body: JSON.stringify(operation),
      signal: AbortSignal.any([signal]),
    });
    if (response.body === null) return;
    let text = "";
    for await (const piece of response.body.pipeThrough(new TextDecoderStream())) {
      const events = (text + piece).split("\n\n");
      text = events.pop() ?? "";
      for (const event of events) {
        const payload = payloadOf(event);
        if (payload?.errors !== undefined) refused(payload.errors);
        if (payload?.data !== undefined) data(payload.data);
      }
    }
  } catch {
    // The connection broke, or was ended.
  }
};

/** Null for events that say nothing, such as the signs of life between them. */
function payloadOf(event: string): Payload | null {
  const lines = event.split("\n");
  if (!lines.includes("event: next")) return null;
  const sent = lines.filter((line) => line.startsWith("data:")).map((line) => line.slice("data:".length));
  return JSON.parse(sent.join("\n")) as Payload;
}
