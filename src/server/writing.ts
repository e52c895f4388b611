import { getArgumentValues } from "graphql";
import type { FieldNode, GraphQLField } from "graphql";
import { JsonText } from "./json-text.ts";

/** Arguments or variables by name. */
export type Values = Readonly<Record<string, unknown>>;

/** Writes a value into a text. Throws whatever comes up where graphql-js would report an error. */
export type Write = (value: unknown, into: JsonText, writing: Writing) => void;

/** Thrown for what is left to graphql-js. */
export const UNWRITABLE = new Error("this is for graphql-js to execute");

/** Thrown when a resolver looks at its fourth argument, which is never made here: its operation is for graphql-js always. */
const NEEDS_INFO = new Error("a resolver asks for what only graphql-js tells");

const refuse = () => {
  throw NEEDS_INFO;
};

/** Stands for the fourth argument of resolvers. */
export const NO_INFO: never = new Proxy(Object.freeze({}), {
  get: refuse,
  has: refuse,
  ownKeys: refuse,
  getPrototypeOf: refuse,
  getOwnPropertyDescriptor: refuse,
}) as never;

/** What became of writing: the text, or nothing. */
export type Outcome =
  | { readonly text: string }
  | { readonly text: null; /** It will never go better. */ readonly isHopeless: boolean };

/** One execution under way: what resolvers are given, and what they have not answered yet. */
export class Writing {
  readonly context: unknown;
  readonly #variables: Values;
  readonly #text = new JsonText();
  #args: Map<FieldNode, Values> | null = null;
  #waiting = 0;
  #failed: "once" | "always" | null = null;
  #settle: (() => void) | null = null;

  /** `variables` are as resolvers get them. */
  constructor(context: unknown, variables: Values) {
    this.context = context;
    this.#variables = variables;
  }

  /** Writes a value from scratch. A promise when some of it has to be waited for; it never rejects. */
  whole(write: Write, value: unknown): Outcome | Promise<Outcome> {
    try {
      write(value, this.#text, this);
    } catch (error) {
      this.#fail(error);
    }
    if (this.#waiting === 0) return this.#outcome();
    return new Promise<void>((resolve) => (this.#settle = resolve)).then(() => this.#outcome());
  }

  /** Goes on without the value of a promise, and writes it where it belongs when it is there. */
  later(promise: PromiseLike<unknown>, into: JsonText, write: Write): void {
    const place = into.leave();
    this.#waiting += 1;
    const take = (value: unknown) => write(value, place, this);
    void Promise.resolve(promise)
      .then(take)
      .catch((error: unknown) => this.#fail(error))
      .then(() => {
        this.#waiting -= 1;
        if (this.#waiting === 0) this.#settle?.();
      });
  }

  /** A field's arguments, where they hold variables. */
  argsOf(field: GraphQLField<unknown, unknown>, node: FieldNode): Values {
    this.#args ??= new Map();
    const known = this.#args.get(node);
    if (known !== undefined) return known;
    const args = getArgumentValues(field, node, this.#variables);
    this.#args.set(node, args);
    return args;
  }

  #fail(error: unknown): void {
    if (error === NEEDS_INFO) this.#failed = "always";
    else this.#failed ??= "once";
  }

  #outcome(): Outcome {
    if (this.#failed !== null) return { text: null, isHopeless: this.#failed === "always" };
    return { text: this.#text.toString() };
  }
}
