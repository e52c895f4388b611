import type { Link } from "./link.ts";
import type { Payload, Payloads } from "./shared-execution.ts";

const OVER = { done: true, value: undefined } as const;

/**
 * Carries the answers of one subscription to its socket, each when the socket has room for it.
 *
 * graphql-ws would pull an iterator and write each result out by itself, for each subscriber. To it this is an iterator
 * without results, which ends when the subscription does (or rejects with what went wrong): it keeps the protocol, and
 * the shared bytes go past it.
 */
export class Pump implements AsyncIterableIterator<never> {
  readonly #payloads: Payloads;
  readonly #link: Link;
  readonly #head: string;
  #end: ((result: typeof OVER) => void) | null = null;
  #fail: ((error: unknown) => void) | null = null;
  readonly #pull: () => void;
  readonly #take: (result: IteratorResult<Payload>) => void;

  /** `id` is the client's name for the operation. */
  constructor(payloads: Payloads, link: Link, id: string) {
    this.#payloads = payloads;
    this.#link = link;
    this.#head = `{"id":${JSON.stringify(id)},"type":"next","payload":`;
    const failed = (error: unknown) => this.#fail?.(error);
    this.#take = (result) => {
      if (result.done === true) return this.#end?.(OVER);
      const full = this.#link.answer(this.#head, result.value);
      if (full === undefined) this.#pull();
      else void full.then(this.#pull);
    };
    this.#pull = () => void this.#payloads.next().then(this.#take, failed);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<never>> {
    return new Promise((resolve, reject) => {
      this.#end = resolve;
      this.#fail = reject;
      this.#pull();
    });
  }

  async return(): Promise<IteratorResult<never>> {
    await this.#payloads.return();
    this.#end?.(OVER);
    return OVER;
  }
}
