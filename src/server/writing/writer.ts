import { Kind, visit } from "graphql";
import type { DocumentNode, FragmentDefinitionNode, GraphQLSchema, OperationDefinitionNode } from "graphql";
import { rootWriter } from "./selection-writer.ts";
import { Writing } from "./writing.ts";
import type { Asked, Values, Write } from "./writing.ts";

/**
 * Writes answers: the text that `JSON.stringify` makes of what graphql-js' `execute` gives, without the objects in between.
 * An operation is compiled at its first use. Whatever has errors, and whatever cannot be told to be the same, is left to
 * graphql-js.
 */
export interface Writer {
  /** The answer's text; null when graphql-js has to execute it. Never throws, never rejects. */
  write(asked: Asked): string | null | Promise<string | null>;
}

/** Ways to include and skip parts of one operation that are compiled; others are left to graphql-js. */
const MOST_VARIANTS = 8;

/** One way to include and skip parts of an operation. */
interface Variant {
  /** Null: for graphql-js. */
  write: Write | null;
}

const LEFT: Variant = { write: null };

interface Compiled {
  /** Variables that include and skip. */
  readonly steering: readonly string[];
  /** By the values of those. */
  readonly variants: Map<string, Variant>;
}

/** A writer of a schema's answers. */
export function createWriter(schema: GraphQLSchema): Writer {
  const known = new WeakMap<OperationDefinitionNode, Compiled>();

  const compiledOf = ({ document, definition }: Asked): Compiled => {
    const found = known.get(definition);
    if (found !== undefined) return found;
    const made: Compiled = { steering: steeringOf(document), variants: new Map() };
    known.set(definition, made);
    return made;
  };
  const variantOf = (asked: Asked, writing: Writing): Variant => {
    const { steering, variants } = compiledOf(asked);
    const isSteered = steering.length > 0;
    const given = isSteered
      ? Object.fromEntries(steering.map((name) => [name, writing.variables[name]]))
      : NONE;
    const key = isSteered ? JSON.stringify(given) : "";
    const found = variants.get(key);
    if (found !== undefined) return found;
    if (variants.size >= MOST_VARIANTS) return LEFT;
    const made: Variant = { write: compile(schema, asked, given) };
    variants.set(key, made);
    return made;
  };

  return {
    write(asked) {
      const writing = new Writing(schema, asked);
      if (!fits(asked, writing)) return null;
      const variant = variantOf(asked, writing);
      if (variant.write === null) return null;
      const text = writing.whole(variant.write);
      if (text instanceof Promise) return text.then((found) => noted(found, variant, writing));
      return noted(text, variant, writing);
    },
  };
}

const NONE: Values = {};

/** False for variables that do not fit. */
function fits({ definition }: Asked, writing: Writing): boolean {
  if (definition.operation === "subscription") return true;
  try {
    return writing.variables !== null;
  } catch {
    return false;
  }
}

function noted(text: string | null, variant: Variant, { isHopeless }: Writing): string | null {
  if (isHopeless) variant.write = null;
  return text;
}

/** Null for what is left to graphql-js. */
function compile(schema: GraphQLSchema, { document, definition }: Asked, variables: Values): Write | null {
  const type = schema.getRootType(definition.operation);
  // Mutations would be executed one field after the other.
  if (!type || definition.operation === "mutation") return null;
  const fragments: Record<string, FragmentDefinitionNode> = {};
  for (const each of document.definitions) {
    if (each.kind === Kind.FRAGMENT_DEFINITION) fragments[each.name.value] = each;
  }
  try {
    return rootWriter({ schema, fragments, variables }, type, definition.selectionSet);
  } catch {
    return null;
  }
}

/** The variables that directives in a document take. */
function steeringOf(document: DocumentNode): readonly string[] {
  const names = new Set<string>();
  visit(document, {
    [Kind.DIRECTIVE]: ({ arguments: given = [] }) => {
      for (const { value } of given) if (value.kind === Kind.VARIABLE) names.add(value.name.value);
    },
  });
  return [...names];
}
