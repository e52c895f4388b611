import { GraphQLError, Kind, specifiedRules } from "graphql";
import type { ASTVisitor, SelectionSetNode, ValidationContext, ValidationRule } from "graphql";
import { withinLimits } from "./limits.ts";

/** Our own rules, for an engine that has those of the specification already. */
export const ownRules: readonly ValidationRule[] = [withinLimits, certainRoot];

/** The rules of the specification and our own: give them to every `validate`. */
export const validationRules: readonly ValidationRule[] = [...specifiedRules, ...ownRules];

/**
 * A subscription is its one field, so that field cannot be left out. graphql-js refuses two fields, but takes `@skip` for
 * what executing will settle, and then finds no field to subscribe to.
 */
function certainRoot(context: ValidationContext): ASTVisitor {
  return {
    OperationDefinition({ operation, selectionSet }) {
      if (operation === "subscription") refuseConditions(context, selectionSet, new Set());
    },
  };
}

function refuseConditions(
  context: ValidationContext,
  { selections }: SelectionSetNode,
  visited: Set<string>,
): void {
  for (const selection of selections) {
    const condition = selection.directives?.find(({ name }) => /^(skip|include)$/.test(name.value));
    if (condition !== undefined) {
      const words = `The field of a subscription cannot be left out: take away @${condition.name.value}.`;
      context.reportError(new GraphQLError(words, { nodes: condition }));
    }
    if (selection.kind === Kind.INLINE_FRAGMENT) refuseConditions(context, selection.selectionSet, visited);
    if (selection.kind !== Kind.FRAGMENT_SPREAD || visited.has(selection.name.value)) continue;
    visited.add(selection.name.value);
    const fragment = context.getFragment(selection.name.value);
    if (fragment) refuseConditions(context, fragment.selectionSet, visited);
  }
}
