import type { Context } from "../../resolvers/context.ts";
import { Puller } from "../../resolvers/frames/taker.ts";
import type { Supply, Taker } from "../../resolvers/frames/taker.ts";
import type { Operation } from "../operations.ts";

/** One answer of a subscription, written out. The same object for everyone who asked the same of the same frame. */
export interface Payload {
  /** JSON of the execution result. */
  readonly text: string;
  /** The same in UTF-8, made on first use. */
  readonly bytes: Buffer;
  /** What it answers: a frame. */
  readonly frame: unknown;
}

/** The answers of one subscription. `return` ends it at once. */
export type Payloads = Supply<Payload>;

/** What is asked of frames, and what the one who asks may see. */
export interface Asked {
  readonly scope: string;
  readonly operation: Operation;
  readonly context: Context;
}

/** How answers are made. */
export interface AnswersOptions {
  readonly answer: (operation: Operation, context: Context, frame: unknown) => Payload | Promise<Payload>;
}

/** Answers to frames: made once per frame for all who ask the same by the same right. */
export class Answers {
  readonly #answer: AnswersOptions["answer"];
  /** By scope and likeness. */
  readonly #kins = new Map<string, Map<string, Kin>>();

  constructor({ answer }: AnswersOptions) {
    this.#answer = answer;
  }

  /** Answers what a supply gives. */
  begin(supply: Supply<unknown>, asked: Asked): Payloads {
    const { scope, operation } = asked;
    const kins = this.#kins.get(scope) ?? new Map<string, Kin>();
    this.#kins.set(scope, kins);
    const kin = kins.get(operation.likeness) ?? new Kin(this, asked);
    kins.set(operation.likeness, kin);
    kin.users += 1;
    return new Answered(supply, kin);
  }

  /** Makes an answer. */
  make({ operation, context }: Asked, frame: unknown): Payload | Promise<Payload> {
    return this.#answer(operation, context, frame);
  }

  /** Nobody asks that any more. */
  forget({ scope, operation }: Asked): void {
    const kins = this.#kins.get(scope);
    kins?.delete(operation.likeness);
    if (kins?.size === 0) this.#kins.delete(scope);
  }
}

/** Everyone who asks the same. What the first of them asked stands for all. */
class Kin implements Asked {
  readonly scope: string;
  readonly operation: Operation;
  readonly context: Context;
  users = 0;
  readonly #home: Answers;
  /** By frame; made when a second one asks. */
  #known: WeakMap<object, Payload | Promise<Payload>> | null = null;

  constructor(home: Answers, { scope, operation, context }: Asked) {
    this.#home = home;
    this.scope = scope;
    this.operation = operation;
    this.context = context;
  }

  answer(frame: unknown): Payload | Promise<Payload> {
    const isAlone = this.users === 1;
    if (isAlone || typeof frame !== "object" || frame === null) return this.#home.make(this, frame);
    const answers = (this.#known ??= new WeakMap());
    const known = answers.get(frame);
    if (known !== undefined) return known;
    const made = this.#home.make(this, frame);
    answers.set(frame, made);
    return made;
  }

  leave(): void {
    this.users -= 1;
    if (this.users === 0) this.#home.forget(this);
  }
}

const OVER = { done: true, value: undefined } as const;

/** The answers to one supply. */
class Answered implements Payloads, Taker<unknown> {
  readonly #supply: Supply<unknown>;
  #kin: Kin | null;
  #taker: Taker<Payload> | null = null;
  #puller: Puller<Payload> | null = null;

  constructor(supply: Supply<unknown>, kin: Kin) {
    this.#supply = supply;
    this.#kin = kin;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Payload, undefined>> {
    return (this.#puller ??= new Puller(this)).next();
  }

  demand(taker: Taker<Payload>): void {
    this.#taker = taker;
    this.#supply.demand(this);
  }

  async return(): Promise<IteratorResult<Payload, undefined>> {
    this.#release();
    await this.#supply.return();
    return OVER;
  }

  given(result: IteratorResult<unknown, undefined>): void {
    if (result.done === true) {
      this.#release();
      return this.#give(OVER);
    }
    const give = (value: Payload) => this.#give({ done: false, value });
    try {
      // Who has left meanwhile is given nothing that would have to be made first.
      const answer = this.#kin?.answer(result.value);
      if (answer === undefined) this.#give(OVER);
      else if (answer instanceof Promise) answer.then(give, (error: unknown) => this.failed(error));
      else give(answer);
    } catch (error) {
      this.failed(error);
    }
  }

  failed(error: unknown): void {
    const failed = () => {
      const taker = this.#taker;
      this.#taker = null;
      taker?.failed(error);
    };
    this.return().then(failed, failed);
  }

  #give(result: IteratorResult<Payload, undefined>): void {
    const taker = this.#taker;
    this.#taker = null;
    taker?.given(result);
  }

  #release(): void {
    this.#kin?.leave();
    this.#kin = null;
  }
}
