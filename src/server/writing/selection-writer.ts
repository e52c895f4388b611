import {
  defaultFieldResolver,
  defaultTypeResolver,
  getArgumentValues,
  isAbstractType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  Kind,
  visit,
} from "graphql";
import type {
  FieldNode,
  FragmentDefinitionNode,
  GraphQLAbstractType,
  GraphQLField,
  GraphQLFieldResolver,
  GraphQLLeafType,
  GraphQLObjectType,
  GraphQLOutputType,
  GraphQLSchema,
  SelectionSetNode,
} from "graphql";
import { collectFields, collectSubfields } from "graphql/execution/collectFields.js";
import { jsonOf } from "./json-text.ts";
import { NOT_MADE, UNWRITABLE } from "./writing.ts";
import type { Values, Write } from "./writing.ts";

/** What selections are compiled with. */
export interface Surroundings {
  readonly schema: GraphQLSchema;
  readonly fragments: Record<string, FragmentDefinitionNode>;
  /** Those that `@skip` and `@include` take. */
  readonly variables: Values;
}

/** Fields by their name in the answer, each with all places that ask for it. */
type Fields = ReadonlyMap<string, readonly FieldNode[]>;

/** One field of an object. */
interface FieldWriter {
  /** Everything between the value before and this one: fields that never differ, the comma, the name. */
  readonly key: string;
  readonly field: GraphQLField<unknown, unknown>;
  readonly resolve: GraphQLFieldResolver<unknown, unknown>;
  readonly node: FieldNode;
  /** Null where they hold variables. */
  readonly args: Values | null;
  readonly write: Write;
}

/**
 * Compiles the selection of a root type into a tree of closures. Throws for what is left to graphql-js.
 *
 * They do what its `execute` does, in the same order, as long as nothing goes wrong; where something does, they throw.
 */
export function rootWriter(around: Surroundings, type: GraphQLObjectType, set: SelectionSetNode): Write {
  const { schema, fragments, variables } = around;
  return objectWriter(around, type, collectFields(schema, fragments, variables, type, set));
}

function objectWriter(around: Surroundings, type: GraphQLObjectType, fields: Fields): Write {
  const { isTypeOf } = type;
  const writers: FieldWriter[] = [];
  let fixed = "{";
  let comma = "";
  for (const [name, nodes] of fields) {
    fixed += `${comma}${JSON.stringify(name)}:`;
    comma = ",";
    const [node] = nodes;
    if (node === undefined) throw UNWRITABLE;
    if (node.name.value === "__typename") fixed += JSON.stringify(type.name);
    else {
      writers.push(fieldWriter(around, type, { key: fixed, node, nodes }));
      fixed = "";
    }
  }
  const end = `${fixed}}`;
  return (value, into, writing) => {
    if (value instanceof Error) throw value;
    if (isTypeOf && settled(isTypeOf(value, writing.context, NOT_MADE)) !== true) throw UNWRITABLE;
    for (const { key, field, resolve, node, args, write } of writers) {
      const found: unknown = resolve(value, args ?? writing.argsOf(field, node), writing.context, NOT_MADE);
      into.text += key;
      if (isPromise(found)) writing.later(found, into, write);
      else write(found, into, writing);
    }
    into.text += end;
  };
}

/** Where a field is asked for: first, and in all places together. */
interface Place {
  readonly key: string;
  readonly node: FieldNode;
  readonly nodes: readonly FieldNode[];
}

function fieldWriter(
  around: Surroundings,
  type: GraphQLObjectType,
  { key, node, nodes }: Place,
): FieldWriter {
  const field = type.getFields()[node.name.value];
  // What a type does not declare is introspection, which asks for the schema.
  if (field === undefined) throw UNWRITABLE;
  const resolve = field.resolve ?? propertyOf(field.name);
  // Arguments of a subscription were coerced when it was begun: no error is overlooked when they are not coerced again.
  const isBegun = type === around.schema.getSubscriptionType() && resolve.length < 2;
  const args = !takesVariables(node) ? getArgumentValues(field, node) : isBegun ? NOT_MADE : null;
  return { key, field, resolve, node, args, write: valueWriter(around, field.type, nodes) };
}

/** As graphql-js does for fields without a resolver. */
function propertyOf(fieldName: string): GraphQLFieldResolver<unknown, unknown> {
  return (source, args, context) => defaultFieldResolver(source, args, context, { fieldName } as never);
}

function takesVariables(node: FieldNode): boolean {
  let takes = false;
  for (const argument of node.arguments ?? []) {
    visit(argument, {
      [Kind.VARIABLE]: () => {
        takes = true;
      },
    });
  }
  return takes;
}

function valueWriter(around: Surroundings, type: GraphQLOutputType, nodes: readonly FieldNode[]): Write {
  if (!isNonNullType(type)) return nullable(innerWriter(around, type, nodes));
  const write = innerWriter(around, type.ofType, nodes);
  return (value, into, writing) => {
    if (value === null || value === undefined) throw UNWRITABLE;
    write(value, into, writing);
  };
}

function nullable(write: Write): Write {
  return (value, into, writing) => {
    if (value === null || value === undefined) into.text += "null";
    else write(value, into, writing);
  };
}

/** For values that are there. */
function innerWriter(around: Surroundings, type: GraphQLOutputType, nodes: readonly FieldNode[]): Write {
  if (isLeafType(type)) return leafWriter(type);
  if (isListType(type)) return listWriter(valueWriter(around, type.ofType, nodes));
  const object = (of: GraphQLObjectType) => {
    const { schema, fragments, variables } = around;
    return objectWriter(around, of, collectSubfields(schema, fragments, variables, of, nodes));
  };
  if (isObjectType(type)) return object(type);
  if (isAbstractType(type)) return abstractWriter(around, type, object);
  throw UNWRITABLE;
}

function leafWriter(type: GraphQLLeafType): Write {
  return (value, into) => {
    if (value instanceof Error) throw value;
    const leaf: unknown = type.serialize(value);
    const text = leaf === null ? undefined : jsonOf(leaf);
    if (text === undefined) throw UNWRITABLE;
    into.text += text;
  };
}

function listWriter(write: Write): Write {
  return (value, into, writing) => {
    if (!Array.isArray(value)) throw UNWRITABLE;
    const list: readonly unknown[] = value;
    let before = "[";
    let written = 0;
    try {
      for (const each of list) {
        into.text += before;
        before = ",";
        written += 1;
        if (isPromise(each)) writing.later(each, into, write);
        else write(each, into, writing);
      }
    } finally {
      if (written < list.length) list.slice(written).forEach(ignored);
    }
    into.text += list.length === 0 ? "[]" : "]";
  };
}

function abstractWriter(
  { schema }: Surroundings,
  type: GraphQLAbstractType,
  object: (of: GraphQLObjectType) => Write,
): Write {
  const resolveType = type.resolveType ?? defaultTypeResolver;
  const writers = new Map<unknown, Write>();
  const writerOf = (name: unknown): Write => {
    const found = typeof name === "string" ? schema.getType(name) : undefined;
    if (!isObjectType(found) || !schema.isSubType(type, found)) throw UNWRITABLE;
    const made = object(found);
    writers.set(name, made);
    return made;
  };
  return (value, into, writing) => {
    if (value instanceof Error) throw value;
    const name: unknown = settled(resolveType(value, writing.context, NOT_MADE, type));
    (writers.get(name) ?? writerOf(name))(value, into, writing);
  };
}

/** What is there already. Throws for what has to be waited for where this is not done here. */
function settled(value: unknown): unknown {
  if (!isPromise(value)) return value;
  ignored(value);
  throw UNWRITABLE;
}

/** Nobody will ask for it any more, so a failure of it is nobody's. */
function ignored(value: unknown): void {
  if (isPromise(value)) value.then(undefined, () => undefined);
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return (
    value !== null &&
    (typeof value === "object" || typeof value === "function") &&
    "then" in value &&
    typeof value.then === "function"
  );
}
