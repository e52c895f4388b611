import { getArgumentValues, getVariableValues } from "graphql";
import type { DocumentNode, FieldNode, GraphQLField, GraphQLSchema, OperationDefinitionNode } from "graphql";
import { JsonText } from "./json-text.ts";

/** A valid operation, and what it is executed with. */
export interface Asked {
  readonly document: DocumentNode;
  readonly definition: OperationDefinitionNode;
  /** As the client sent them. Those of a subscription fit: it was begun with them. */
  readonly variables: Values;
  readonly root: unknown;
  readonly context: unknown;
}

/** Arguments or variables by name. */
export type Values = Readonly<Record<string, unknown>>;

/** Writes a value into a text. Throws whatever comes up where graphql-js would report an error. */
export type Write = (value: unknown, into: JsonText, writing: Writing) => void;

/** Thrown for what is left to graphql-js. */
export const UNWRITABLE = new Error("this is for graphql-js to execute");

/** Thrown when a resolver looks at `NOT_MADE`: its operation is for graphql-js always. */
const NEEDED = new Error("a resolver asks for what only graphql-js makes");

const refuse = () => {
  throw NEEDED;
};

/** Stands for an argument of a resolver that is dear to make, and that it hardly looks at. */
export const NOT_MADE: never = new Proxy(Object.freeze({}), {
  get: refuse,
  has: refuse,
  ownKeys: refuse,
  getPrototypeOf: refuse,
  getOwnPropertyDescriptor: refuse,
}) as never;

/** One execution under way: what resolvers are given, and what they have not answered yet. */
export class Writing {
  readonly context: unknown;
  /** Writing this operation will never go better. */
  isHopeless = false;
  readonly #schema: GraphQLSchema;
  readonly #asked: Asked;
  readonly #text = new JsonText();
  #variables: Values | null = null;
  #args: Map<FieldNode, Values> | null = null;
  #waiting = 0;
  #failed = false;
  #settle: (() => void) | null = null;

  constructor(schema: GraphQLSchema, asked: Asked) {
    this.#schema = schema;
    this.#asked = asked;
    this.context = asked.context;
  }

  /** Writes the answer; null where graphql-js has to. A promise when some of it has to be waited for; it never rejects. */
  whole(write: Write): string | null | Promise<string | null> {
    try {
      write(this.#asked.root, this.#text, this);
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

  /** The variables as resolvers get them. Throws UNWRITABLE when they do not fit. */
  get variables(): Values {
    if (this.#variables !== null) return this.#variables;
    const { definition, variables } = this.#asked;
    const { coerced } = getVariableValues(this.#schema, definition.variableDefinitions ?? [], variables);
    if (coerced === undefined) throw UNWRITABLE;
    this.#variables = coerced;
    return coerced;
  }

  /** A field's arguments, where they hold variables. */
  argsOf(field: GraphQLField<unknown, unknown>, node: FieldNode): Values {
    this.#args ??= new Map();
    const known = this.#args.get(node);
    if (known !== undefined) return known;
    const args = getArgumentValues(field, node, this.variables);
    this.#args.set(node, args);
    return args;
  }

  #fail(error: unknown): void {
    this.#failed = true;
    if (error === NEEDED) this.isHopeless = true;
  }

  #outcome(): string | null {
    return this.#failed ? null : `{"data":${this.#text.toString()}}`;
  }
}
