import type { Taker } from "../../resolvers/frames/taker.ts";
import type { Payload, Payloads } from "../writing/answers.ts";
import type { Link } from "./link.ts";

/** What the protocol keeps of a connection. */
export interface Connection {
  readonly extra: Link;
  /** What runs under which id. */
  readonly subscriptions: Record<string, AsyncIterable<unknown> | null>;
}

/** How a client is told that its subscription is over; one for all pumps. */
export interface Farewell {
  /** It came to its end. */
  completed(id: string): string;
  /** It broke off. */
  failed(id: string, error: unknown): string;
}

/**
 * Carries the answers of one subscription to its socket, each when the socket has room for it.
 *
 * graphql-ws knows it as what runs under an id, and calls `return` when the client completes it or is gone. It never
 * pulls: it would write each result out by itself, for each subscriber, and keep the message the client subscribed with.
 */
export class Pump implements AsyncIterable<never>, Taker<Payload> {
  readonly #connection: Connection;
  readonly #id: string;
  readonly #farewell: Farewell;
  #payloads: Payloads | null = null;
  #isOver = false;

  /** `id` is the client's name for the operation. */
  constructor(connection: Connection, id: string, farewell: Farewell) {
    this.#connection = connection;
    this.#id = id;
    this.#farewell = farewell;
    // From here on it hears when the client leaves, even before there is anything to carry.
    connection.subscriptions[id] = this;
  }

  /** Carries these from now on; ends them at once when the client has left meanwhile. */
  start(payloads: Payloads): void {
    this.#payloads = payloads;
    if (!this.#isOver) return payloads.demand(this);
    this.#connection.extra.ended();
    void payloads.return();
  }

  [Symbol.asyncIterator](): never {
    throw new Error("a pump pulls by itself");
  }

  /** The client does not want it any more, or is gone. */
  async return(): Promise<void> {
    if (this.#isOver) return;
    this.#isOver = true;
    if (this.#payloads === null) return;
    this.#connection.extra.ended();
    await this.#payloads.return();
  }

  given(result: IteratorResult<Payload, undefined>): void {
    if (result.done === true) return this.#end(() => this.#farewell.completed(this.#id));
    const head = `{"id":${JSON.stringify(this.#id)},"type":"next","payload":`;
    const full = this.#connection.extra.answer(head, result.value);
    if (full === undefined) this.#payloads?.demand(this);
    else void full.then(() => this.#payloads?.demand(this));
  }

  failed(error: unknown): void {
    this.#end(() => this.#farewell.failed(this.#id, error));
  }

  /** Over by itself: frees the id, and says so. */
  #end(farewell: () => string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const { extra, subscriptions } = this.#connection;
    Reflect.deleteProperty(subscriptions, this.#id);
    extra.ended();
    void extra.say(farewell());
  }
}
