import { setTimeout as delay } from "node:timers/promises";
import { SubscriberLog, type Frame } from "./subscriber-log.ts";
import type { Transport } from "./transports.ts";

/** What to subscribe to, and where. */
export interface Subscription {
  readonly name: string;
  readonly url: string;
  /** One customer; null for all of them. */
  readonly customerId: string | null;
  readonly mode: "EVERY" | "LATEST";
  readonly transport: Transport;
}

const SHOWN = `fragment Shown on Customer { customerId revision people { score } metrics { spend payments } }`;
const FRAMES = `{
  __typename
  ... on CustomerSnapshot { customers { ...Shown } complete cursor }
  ... on CustomerChange { customer { ...Shown } revision cursor }
  ... on Gap { reason missed cursor }
  ... on Progress { cursor }
  ... on Ended { reason retryable resume }
}`;

function operationOf({ customerId, mode }: Subscription): string {
  return customerId === null
    ? `subscription ($after: Cursor) { frame: customersUpdates(mode: ${mode}, after: $after) ${FRAMES} } ${SHOWN}`
    : `subscription ($after: Cursor) { frame: customerUpdates(customerId: "${customerId}", mode: ${mode}, after: $after) ${FRAMES} } ${SHOWN}`;
}

type Sent = { readonly __typename: string; readonly cursor?: string; readonly resume?: string | null };

interface SentCustomer {
  readonly customerId: string;
  readonly revision: number;
  readonly people: { readonly score: number | null } | null;
  readonly metrics: { readonly spend: string | null; readonly payments: number | null };
}

/** A frame without what is of no interest to the judge. */
function plain(sent: Sent): Frame {
  const flat = (customer: SentCustomer) => {
    const { customerId, revision, people, metrics } = customer;
    return { customerId, revision, score: people?.score ?? null, ...metrics };
  };
  const frame = sent as Sent & { customers?: readonly SentCustomer[]; customer?: SentCustomer };
  return {
    ...frame,
    ...(frame.customers === undefined ? {} : { customers: frame.customers.map(flat) }),
    ...(frame.customer === undefined ? {} : { customer: flat(frame.customer) }),
  } as unknown as Frame;
}

const RETRY_MS = 100;

/** A client that connects again with its last cursor whatever happens, and has everything it is sent judged. */
export class Subscriber {
  readonly log: SubscriberLog;
  readonly #subscription: Subscription;
  readonly #stopped = new AbortController();
  /** Told after each frame. */
  readonly #heard = new Set<() => void>();
  #after: string | null = null;
  readonly #running: Promise<void>;
  connections = 0;

  constructor(subscription: Subscription) {
    this.#subscription = subscription;
    const { name, mode, customerId } = subscription;
    this.log = new SubscriberLog({ name, isEvery: mode === "EVERY", isWhole: customerId === null });
    this.#running = this.#run();
  }

  /** Resolves once what was shown so far fulfils a condition; rejects with the signal's reason. */
  async until(condition: (log: SubscriberLog) => boolean, signal: AbortSignal): Promise<void> {
    while (!condition(this.log)) {
      signal.throwIfAborted();
      await new Promise<void>((resolve) => {
        const done = () => {
          this.#heard.delete(done);
          signal.removeEventListener("abort", done);
          resolve();
        };
        this.#heard.add(done);
        signal.addEventListener("abort", done, { once: true });
      });
    }
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      await this.#connection();
      await delay(RETRY_MS, undefined, { signal }).catch(() => {});
    }
  }

  async #connection(): Promise<void> {
    this.connections += 1;
    const { url, transport } = this.#subscription;
    const operation = { query: operationOf(this.#subscription), variables: { after: this.#after } };
    await transport(url, operation, {
      data: (data) => {
        const sent = (data as { readonly frame?: Sent } | null)?.frame;
        if (sent !== undefined) this.#take(sent);
      },
      refused: (errors) => this.#refused(errors),
      signal: this.#stopped.signal,
    });
  }

  #take(sent: Sent): void {
    this.log.take(plain(sent));
    this.#after = sent.cursor ?? sent.resume ?? this.#after;
    for (const done of [...this.#heard]) done();
  }

  /** An outage is no fault; a cursor of its own that is refused is one. */
  #refused(errors: unknown): void {
    const text = JSON.stringify(errors);
    if (/CURSOR_INVALID|BAD_USER_INPUT|GRAPHQL_VALIDATION/.test(text))
      this.log.breaches.push({ wrong: "wrong state", text: `${this.#subscription.name}: refused: ${text}` });
  }
}
