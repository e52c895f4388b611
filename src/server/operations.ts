import { getOperationAST, GraphQLError, Kind, parse, validate, visit } from "graphql";
import type {
  DocumentNode,
  FieldNode,
  GraphQLSchema,
  OperationDefinitionNode,
  ValidationRule,
} from "graphql";
import { depthFault, parseOptions } from "./limits.ts";
import { validationRules } from "./rules.ts";

/** What a client sends to have something executed. */
export interface OperationRequest {
  readonly query: string;
  readonly operationName?: string | null | undefined;
  readonly variables?: Readonly<Record<string, unknown>> | null | undefined;
}

/** A request that was read and found valid. */
export interface Operation {
  readonly document: DocumentNode;
  readonly definition: OperationDefinitionNode;
  readonly operationName: string | null;
  readonly variables: Readonly<Record<string, unknown>>;
  /** Equal for operations that answer a frame with the same bytes to viewers of equal scope. */
  readonly likeness: string;
}

/** Reads and validates operations, once per text. */
export interface Operations {
  /** The operation, or why it cannot be executed. */
  prepare(request: OperationRequest): Operation | readonly GraphQLError[];
}

/** Texts remembered with their outcome. */
const REMEMBERED = 500;
/** Longer texts are not remembered, so that memory stays bounded in bytes as well. */
const LONGEST_REMEMBERED = 16_384;

interface Reading {
  readonly document: DocumentNode | null;
  readonly errors: readonly GraphQLError[];
  readonly id: number;
}

/** Operations of a schema. */
export function createOperations(
  schema: GraphQLSchema,
  rules: readonly ValidationRule[] = validationRules,
): Operations {
  const readings = new Map<string, Reading>();
  let made = 0;
  const read = (text: string): Reading => {
    const known = readings.get(text);
    if (known !== undefined) {
      readings.delete(text);
      readings.set(text, known);
      return known;
    }
    const reading = { ...parsed(schema, text, rules), id: (made += 1) };
    if (text.length <= LONGEST_REMEMBERED) readings.set(text, reading);
    const oldest = readings.size > REMEMBERED ? readings.keys().next() : null;
    if (oldest !== null && oldest.done !== true) readings.delete(oldest.value);
    return reading;
  };
  return {
    prepare({ query, operationName = null, variables }) {
      const { document, errors, id } = read(query);
      if (document === null || errors.length > 0) return errors;
      const definition = getOperationAST(document, operationName);
      if (!definition) {
        const words =
          operationName === null ? "Name the operation to execute." : "There is no such operation.";
        return [new GraphQLError(words, { extensions: { code: "BAD_USER_INPUT" } })];
      }
      const given = variables ?? {};
      const fault = depthFault(given);
      if (fault !== null) return [fault];
      const steering = steeringOf(document, definition);
      const shaping = Object.entries(given).filter(([name]) => !steering.has(name));
      // Joined, it is one piece of memory; it is kept for as long as a subscription lasts.
      const likeness = [id, operationName, JSON.stringify(shaping)].join(" ");
      return { document, definition, operationName, variables: given, likeness };
    },
  };
}

function parsed(schema: GraphQLSchema, text: string, rules: readonly ValidationRule[]) {
  try {
    const document = parse(text, parseOptions);
    return { document, errors: validate(schema, document, rules) };
  } catch (error) {
    if (error instanceof GraphQLError) return { document: null, errors: [error] };
    throw error;
  }
}

const steerings = new WeakMap<OperationDefinitionNode, ReadonlySet<string>>();

/** Variables that only say where a subscription begins and how it is delivered: they do not shape what a frame answers. */
function steeringOf(document: DocumentNode, definition: OperationDefinitionNode): ReadonlySet<string> {
  const known = steerings.get(definition);
  if (known !== undefined) return known;
  const used = new Map<string, number>();
  visit(document, {
    VariableDefinition: () => false,
    Variable: ({ name }) => {
      used.set(name.value, (used.get(name.value) ?? 0) + 1);
    },
  });
  const steering = new Set<string>();
  const field = definition.operation === "subscription" ? rootField(definition) : null;
  for (const { name, value } of field?.arguments ?? []) {
    const steers = name.value === "after" || name.value === "mode";
    if (steers && value.kind === Kind.VARIABLE && used.get(value.name.value) === 1)
      steering.add(value.name.value);
  }
  steerings.set(definition, steering);
  return steering;
}

/** The one field of a subscription, when it is written out and not inside a fragment. */
function rootField(definition: OperationDefinitionNode): FieldNode | null {
  const [selection] = definition.selectionSet.selections;
  return selection?.kind === Kind.FIELD ? selection : null;
}

/** The operation as if it had been asked to go on after a cursor; itself when it says already where it begins. */
export function after(operation: Operation, cursor: string): Operation {
  const field = operation.definition.operation === "subscription" ? rootField(operation.definition) : null;
  if (field === null) return operation;
  const argument = field.arguments?.find(({ name }) => name.value === "after");
  if (argument?.value.kind === Kind.VARIABLE) {
    const name = argument.value.name.value;
    if (operation.variables[name] != null) return operation;
    return { ...operation, variables: { ...operation.variables, [name]: cursor } };
  }
  if (argument !== undefined && argument.value.kind !== Kind.NULL) return operation;
  const own = (field.arguments ?? []).filter((each) => each !== argument);
  const added = {
    kind: Kind.ARGUMENT,
    name: { kind: Kind.NAME, value: "after" },
    value: { kind: Kind.STRING, value: cursor },
  } as const;
  const definition: OperationDefinitionNode = {
    ...operation.definition,
    selectionSet: {
      ...operation.definition.selectionSet,
      selections: [{ ...field, arguments: [...own, added] }],
    },
  };
  const definitions = operation.document.definitions.map((each) =>
    each === operation.definition ? definition : each,
  );
  return { ...operation, definition, document: { ...operation.document, definitions } };
}
