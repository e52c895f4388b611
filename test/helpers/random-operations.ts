import {
  getNamedType,
  isAbstractType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  parse,
  validate,
} from "graphql";
import type {
  DocumentNode,
  GraphQLCompositeType,
  GraphQLField,
  GraphQLInputType,
  GraphQLObjectType,
  GraphQLSchema,
} from "graphql";

/** Numbers in [0, 1), the same ones for the same seed. */
export type Random = () => number;

/** A generator for a seed. */
export function randomOf(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let h = Math.imul(state ^ (state >>> 15), state | 1);
    h ^= h + Math.imul(h ^ (h >>> 7), h | 61);
    return ((h ^ (h >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** One of several; there has to be one. */
export function pick<T>(random: Random, from: readonly T[]): T {
  if (from.length === 0) throw new Error("there is nothing to pick from");
  return from[Math.floor(random() * from.length)] as T;
}

/** A valid operation with its variables. */
export interface RandomOperation {
  readonly text: string;
  readonly document: DocumentNode;
  readonly variables: Readonly<Record<string, unknown>>;
}

/** What operations are made of. */
export interface OperationOptions {
  readonly schema: GraphQLSchema;
  readonly random: Random;
  readonly root: GraphQLObjectType;
  readonly kind: "query" | "subscription";
  /** Texts for arguments of these names. */
  readonly texts: Readonly<Record<string, readonly string[]>>;
}

/** A random operation that is valid: aliases, fragments, merged fields, arguments and directives with variables and without. */
export function randomOperation(options: OperationOptions): RandomOperation {
  for (;;) {
    const writing = new Operation(options);
    const text = writing.text();
    const document = parse(text);
    if (validate(options.schema, document).length === 0)
      return { text, document, variables: writing.variables };
  }
}

const DEEPEST = 7;

class Operation {
  readonly variables: Record<string, unknown> = {};
  readonly #options: OperationOptions;
  readonly #declared: string[] = [];
  readonly #fragments: { readonly name: string; readonly on: string; readonly text: string }[] = [];
  #names = 0;

  constructor(options: OperationOptions) {
    this.#options = options;
  }

  text(): string {
    const { root, kind } = this.#options;
    const set =
      kind === "subscription" ? `{ ${this.#field(root, this.#oneOf(root), 1)} }` : this.#selection(root, 1);
    const declared = this.#declared.length === 0 ? "" : `(${this.#declared.join(", ")})`;
    const fragments = this.#fragments.map(({ name, on, text }) => `fragment ${name} on ${on} ${text}`);
    return [`${kind} Random${declared} ${set}`, ...fragments].join("\n");
  }

  #is(share: number): boolean {
    return this.#options.random() < share;
  }

  #name(start: string): string {
    this.#names += 1;
    return `${start}${this.#names}`;
  }

  #oneOf(type: GraphQLCompositeType): GraphQLField<unknown, unknown> {
    if (!isObjectType(type) && !isInterfaceType(type)) throw new Error(`${type.name} has no fields`);
    return pick(this.#options.random, Object.values(type.getFields()));
  }

  #selection(type: GraphQLCompositeType, depth: number): string {
    const parts: string[] = [];
    // Of an abstract type only what is asked of the right one is answered.
    const wanted = 1 + Math.floor(this.#options.random() * (isAbstractType(type) ? 15 : 6));
    while (parts.length < wanted) {
      const part = this.#part(type, depth);
      parts.push(part);
      // The same once more, to be merged.
      if (this.#is(0.1)) parts.push(part);
    }
    return `{ ${parts.join(" ")} }`;
  }

  #part(type: GraphQLCompositeType, depth: number): string {
    if (this.#is(0.1)) return this.#is(0.3) ? `${this.#name("kind")}: __typename` : "__typename";
    if (depth < DEEPEST && this.#is(isAbstractType(type) ? 0.7 : 0.2)) return this.#fragment(type, depth);
    if (!isObjectType(type) && !isInterfaceType(type)) return "__typename";
    return this.#field(type, this.#oneOf(type), depth);
  }

  #fragment(type: GraphQLCompositeType, depth: number): string {
    const { schema, random } = this.#options;
    const known = this.#fragments.filter(({ on }) => on === type.name);
    if (known.length > 0 && this.#is(0.3)) return `...${pick(random, known).name}${this.#directives()}`;
    const possible = isAbstractType(type)
      ? [type, ...schema.getPossibleTypes(type)]
      : [type, ...type.getInterfaces()];
    const on = pick(random, possible);
    const text = this.#selection(on, depth + 1);
    if (this.#is(0.5))
      return `...${this.#is(0.2) && on === type ? "" : ` on ${on.name}`}${this.#directives()} ${text}`;
    const name = this.#name("Part");
    this.#fragments.push({ name, on: on.name, text });
    return `...${name}${this.#directives()}`;
  }

  #field(type: GraphQLCompositeType, field: GraphQLField<unknown, unknown>, depth: number): string {
    const of = getNamedType(field.type);
    if (!isLeafType(of) && depth >= DEEPEST) return "__typename";
    const alias = this.#is(0.25) ? `${this.#name("as")}: ` : "";
    const args = field.args.flatMap((argument) => {
      const text = this.#argument(argument.name, argument.type);
      return text === null ? [] : [`${argument.name}: ${text}`];
    });
    const set = isLeafType(of) || isInputObjectType(of) ? "" : ` ${this.#selection(of, depth + 1)}`;
    const given = args.length === 0 ? "" : `(${args.join(", ")})`;
    return `${alias}${field.name}${given}${type === this.#options.root ? "" : this.#directives()}${set}`;
  }

  #directives(): string {
    if (!this.#is(0.15)) return "";
    const condition = this.#is(0.6) ? this.#variable("Boolean!", this.#is(0.6)) : String(this.#is(0.7));
    return ` @${this.#is(0.6) ? "include" : "skip"}(if: ${condition})`;
  }

  #variable(type: string, value: unknown, text = JSON.stringify(value)): string {
    const name = this.#name("v");
    const hasDefault = this.#is(0.2);
    this.#declared.push(`$${name}: ${type}${hasDefault ? ` = ${text}` : ""}`);
    if (!hasDefault || this.#is(0.5)) this.variables[name] = value;
    return `$${name}`;
  }

  /** Null to leave it out. */
  #argument(name: string, type: GraphQLInputType): string | null {
    if (!isNonNullType(type) && this.#is(0.5)) return null;
    const value = this.#value(name, type);
    if (value === undefined) return null;
    const inner = isNonNullType(type) ? type.ofType : type;
    const json = JSON.stringify(value);
    const text = isEnumType(getNamedType(inner)) ? json.replaceAll('"', "") : json;
    return this.#is(0.4)
      ? this.#variable(this.#is(0.3) ? `${String(inner)}!` : String(type), value, text)
      : text;
  }

  #value(name: string, type: GraphQLInputType): unknown {
    const { random, texts } = this.#options;
    if (isNonNullType(type)) return this.#value(name, type.ofType);
    if (isListType(type)) {
      const one = this.#value(name, type.ofType);
      return one === undefined ? undefined : this.#is(0.5) ? [one] : [];
    }
    if (isEnumType(type)) return pick(random, type.getValues()).name;
    if (type.name === "Int") return 1 + Math.floor(random() * 5);
    if (type.name === "Boolean") return this.#is(0.5);
    return texts[name] === undefined ? undefined : pick(random, texts[name]);
  }
}
