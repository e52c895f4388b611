import { GraphQLError, isObjectType } from "graphql";
import type {
  ASTVisitor,
  FieldNode,
  FragmentDefinitionNode,
  GraphQLSchema,
  SelectionSetNode,
  ValidationContext,
} from "graphql";
import { DEFAULT_PAGE, MAX_PAGE } from "../resolvers/paging.ts";

/** What one operation may ask for; the same over HTTP, SSE and WebSocket. */
export const LIMITS = {
  /** Bytes of a request body; WebSocket frames have a bound of their own (streams/websocket.ts). */
  maxBodyBytes: 1_048_576,
  /**
   * Lexical tokens of a document; parsing stops there.
   * Also the fields, and the fragments, it may come to where they are spread.
   */
  maxTokens: 2_000,
  /** Levels of nested fields; the usual introspection query has 15. */
  maxDepth: 20,
  /** Levels of lists and objects in variables. */
  maxVariableDepth: 64,
  /** Aliased fields in a document. */
  maxAliases: 60,
  /** Entities a document could ask for at most, pages within pages multiplied. */
  maxEntities: 100_000,
} as const;

/**
 * What is said of variables that are nested too deep; null for all others.
 * Taking them in would take a frame of the stack a level.
 */
export function depthFault(variables: unknown): GraphQLError | null {
  if (isWithin(variables, LIMITS.maxVariableDepth)) return null;
  const words = `Variables may be nested ${LIMITS.maxVariableDepth} levels deep at most.`;
  return new GraphQLError(words, { extensions: { code: "BAD_USER_INPUT" } });
}

function isWithin(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return true;
  return levels > 0 && Object.values(value).every((each) => isWithin(each, levels - 1));
}

/** For `parse`: stops reading long before a document can hurt. */
export const parseOptions = { maxTokens: LIMITS.maxTokens } as const;

/**
 * A rule for `validate`. Refuses operations that are too deep, too wide, or multiply pages within pages.
 * Fragments count where they are spread.
 */
export function withinLimits(context: ValidationContext): ASTVisitor {
  return {
    OperationDefinition(operation) {
      const spent = { aliases: 0, entities: 0, fields: 0, spreads: 0 };
      const fault = measure({ context, spent }, operation.selectionSet, { depth: 0, times: 1, within: [] });
      if (fault !== null)
        context.reportError(
          new GraphQLError(fault, { nodes: operation, extensions: { code: "TOO_EXPENSIVE" } }),
        );
    },
  };
}

interface Spent {
  aliases: number;
  entities: number;
  fields: number;
  spreads: number;
}

/** One operation being measured. */
interface Measuring {
  readonly context: ValidationContext;
  readonly spent: Spent;
}

interface Place {
  readonly depth: number;
  /** How often this selection may be answered: the product of the pages around it. */
  readonly times: number;
  /** Fragments being followed: a cycle is another rule's fault to report. */
  readonly within: readonly FragmentDefinitionNode[];
}

function measure(measuring: Measuring, set: SelectionSetNode, place: Place): string | null {
  for (const selection of set.selections) {
    const fault =
      selection.kind === "Field"
        ? measureField(measuring, selection, place)
        : selection.kind === "InlineFragment"
          ? measure(measuring, selection.selectionSet, place)
          : measureSpread(measuring, selection.name.value, place);
    if (fault !== null) return fault;
  }
  return null;
}

function measureSpread(measuring: Measuring, name: string, place: Place): string | null {
  const { context, spent } = measuring;
  // Fragments that spread each other without a field between them lead to more ways than can be walked.
  spent.spreads += 1;
  if (spent.spreads > LIMITS.maxTokens)
    return `The operation spreads more than ${LIMITS.maxTokens} fragments.`;
  const fragment = context.getFragment(name);
  if (!fragment || place.within.includes(fragment)) return null;
  return measure(measuring, fragment.selectionSet, { ...place, within: [...place.within, fragment] });
}

function measureField(measuring: Measuring, field: FieldNode, place: Place): string | null {
  const { context, spent } = measuring;
  if (field.alias) spent.aliases += 1;
  spent.fields += 1;
  const size = pageSize(context.getSchema(), field);
  const times = place.times * (size ?? 1);
  if (size !== null) spent.entities += times;
  if (place.depth + 1 > LIMITS.maxDepth)
    return `The operation is nested deeper than ${LIMITS.maxDepth} levels.`;
  if (spent.aliases > LIMITS.maxAliases) return `The operation has more than ${LIMITS.maxAliases} aliases.`;
  if (spent.fields > LIMITS.maxTokens) return `The operation selects more than ${LIMITS.maxTokens} fields.`;
  if (spent.entities > LIMITS.maxEntities) {
    return `The operation may ask for more than ${LIMITS.maxEntities} entities: lower \`first\` of the lists within lists.`;
  }
  if (!field.selectionSet) return null;
  return measure(measuring, field.selectionSet, { ...place, depth: place.depth + 1, times });
}

/** How many entities a list field may answer, or null for a field that is no page. */
function pageSize(schema: GraphQLSchema, field: FieldNode): number | null {
  if (!pagedFields(schema).has(field.name.value)) return null;
  const first = field.arguments?.find((each) => each.name.value === "first");
  if (!first) return DEFAULT_PAGE;
  return first.value.kind === "IntValue" ? Math.max(1, Number(first.value.value)) : MAX_PAGE;
}

const pagedBySchema = new WeakMap<GraphQLSchema, ReadonlySet<string>>();

/** Names of the fields that take `first`. */
function pagedFields(schema: GraphQLSchema): ReadonlySet<string> {
  const known = pagedBySchema.get(schema);
  if (known) return known;
  const names = new Set<string>();
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type)) continue;
    for (const field of Object.values(type.getFields())) {
      if (field.args.some((arg) => arg.name === "first")) names.add(field.name);
    }
  }
  pagedBySchema.set(schema, names);
  return names;
}
