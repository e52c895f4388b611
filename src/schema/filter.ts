import type { InputObjectRef } from "@pothos/core";
import { COMPARED_AS } from "../customer/values/compare.ts";
import type { FieldRef } from "../customer/values/filter.ts";
import type { Direction, FilterFields, FilterInput, OrderInput } from "../resolvers/filters.ts";
import type { SchemaTypesOf } from "./connection.ts";
import { tierNamed } from "./segment.ts";
import type { SegmentEnums } from "./segment.ts";
import { described, scalarOf } from "./surface.ts";
import type { ScalarName, Surface } from "./surface.ts";

/** CustomerFilter and CustomerOrder, and what their fields stand for. */
export interface FilterInputs {
  readonly fields: FilterFields;
  readonly filter: InputObjectRef<SchemaTypesOf, FilterInput>;
  readonly order: InputObjectRef<SchemaTypesOf, OrderInput>;
}

/** One field that can be filtered and ordered by. */
interface Leaf {
  readonly name: string;
  readonly scalar: ScalarName;
  readonly ref: FieldRef;
  readonly description: string;
}

/** Fields under one name: `metrics`, or a one-row table. */
interface Group {
  readonly name: string;
  /** What its input types begin with. */
  readonly type: string;
  readonly description: string;
  readonly leaves: readonly Leaf[];
}

/** Declares CustomerFilter and CustomerOrder with all the inputs they are made of. */
export function declareFilters(surface: Surface, enums: SegmentEnums): FilterInputs {
  const groups = groupsOf(surface).filter((group) => group.leaves.length > 0);
  const fields: FilterFields = {
    groups: new Map(
      groups.map((group) => [group.name, new Map(group.leaves.map((leaf) => [leaf.name, leaf.ref]))]),
    ),
    segments: new Map(
      surface.plan.segments.map((segment) => [
        surface.names.segment(segment.name).field,
        { name: segment.name, tier: (value) => tierNamed(surface, segment, value) },
      ]),
    ),
  };
  return {
    fields,
    filter: declareFilter(surface, groups, enums),
    order: declareOrder(surface, groups),
  };
}

function groupsOf({ plan, names }: Surface): readonly Group[] {
  const metrics: Group = {
    name: "metrics",
    type: "CustomerMetrics",
    description: "By metrics.",
    leaves: plan.metrics.map((metric) => ({
      name: names.metric(metric.name),
      scalar: scalarOf(metric.type),
      ref: { kind: "metric", name: metric.name, as: COMPARED_AS[metric.type] },
      description: `By ${metric.name}.`,
    })),
  };
  const tables = plan.tables
    .filter((table) => table.rows === "one")
    .map((table): Group => {
      const { field, type } = names.table(table.name);
      const leaves = table.columns.flatMap(({ name: column, type: of, list }): readonly Leaf[] => {
        const as = list ? null : COMPARED_AS[of];
        if (as === null) return [];
        const ref = { kind: "column", table: table.name, column, as } as const;
        const named = { name: names.column(table.name, column), description: `By ${column}.` };
        return [{ ...named, scalar: scalarOf(of), ref }];
      });
      return {
        name: field,
        type,
        description: `By the row of ${table.name}; a customer without one has nulls.`,
        leaves,
      };
    });
  return [metrics, ...tables];
}

function declareFilter({ builder, plan, names }: Surface, groups: readonly Group[], enums: SegmentEnums) {
  const comparison = comparisons(builder);
  const inputs = groups.map((group) => ({
    ...group,
    input: builder.inputType(`${group.type}Filter`, {
      description: `${group.description} Conditions on several fields hold together.`,
      fields: (t) =>
        Object.fromEntries(
          group.leaves.map((leaf) => [
            leaf.name,
            t.field({ type: comparison(leaf.scalar), description: leaf.description }),
          ]),
        ),
    }),
  }));
  const segments =
    plan.segments.length === 0
      ? null
      : builder.inputType("CustomerSegmentsFilter", {
          description: "By segments. A customer must be in one of the listed tiers of each segment named.",
          fields: (t) =>
            Object.fromEntries(
              plan.segments.map((segment) => [
                names.segment(segment.name).field,
                t.field({
                  type: [enums.tierOf.get(segment.name) ?? enums.membershipState],
                  description: described(segment.description, `By ${segment.name}.`),
                }),
              ]),
            ),
        });
  const filter = builder.inputRef<FilterInput>("CustomerFilter");
  return filter.implement({
    description: "Which customers. What is named holds together; `or` and `not` say otherwise.",
    fields: (t) => ({
      and: t.field({ type: [filter], description: "All of these." }),
      or: t.field({ type: [filter], description: "At least one of these; none for an empty list." }),
      not: t.field({ type: filter, description: "Not this." }),
      customerId: t.field({ type: comparison("String"), description: "By customer id." }),
      ...(segments === null ? {} : { segments: t.field({ type: segments, description: "By segments." }) }),
      ...Object.fromEntries(
        inputs.map(({ name, input, description }) => [name, t.field({ type: input, description })]),
      ),
    }),
  });
}

const OPERATORS = {
  eq: "Equal to.",
  ne: "Another value than; a null is not one.",
  lt: "Less than.",
  lte: "Less than or equal to.",
  gt: "Greater than.",
  gte: "Greater than or equal to.",
} as const;

/** Declares comparison inputs, one per scalar in use. */
function comparisons(builder: Surface["builder"]) {
  const declared = new Map<ScalarName, ReturnType<typeof declareComparison>>();
  return (scalar: ScalarName) => {
    const known = declared.get(scalar) ?? declareComparison(builder, scalar);
    declared.set(scalar, known);
    return known;
  };
}

function declareComparison(builder: Surface["builder"], scalar: ScalarName) {
  const name = scalar === "String" ? "Text" : scalar;
  const operators = Object.entries(OPERATORS).filter(
    ([op]) => scalar !== "Boolean" || op === "eq" || op === "ne",
  );
  return builder.inputType(`${name}Comparison`, {
    description: `Conditions on ${name === "Int" ? "an" : "a"} ${name}; those given hold together. Null compares with nothing but \`isNull\`.`,
    fields: (t) => ({
      ...Object.fromEntries(
        operators.map(([op, description]) => [op, t.field({ type: scalar, description })]),
      ),
      ...(scalar === "Boolean" ? {} : { in: t.field({ type: [scalar], description: "One of these." }) }),
      ...(scalar === "String"
        ? {
            contains: t.string({ description: "Has this text in it; case counts." }),
            startsWith: t.string({ description: "Begins with this text; case counts." }),
          }
        : {}),
      isNull: t.boolean({ description: "True: has no value. False: has one." }),
    }),
  });
}

function declareOrder({ builder }: Surface, groups: readonly Group[]) {
  const direction = builder.enumType("OrderDirection", {
    description: "Which way.",
    values: {
      ASC: { value: "asc", description: "Least first." },
      DESC: { value: "desc", description: "Greatest first." },
    } as const satisfies Record<string, { value: Direction; description: string }>,
  });
  const inputs = groups.map((group) => ({
    ...group,
    input: builder.inputType(`${group.type}Order`, {
      description: `${group.description} Name exactly one.`,
      isOneOf: true,
      fields: (t) =>
        Object.fromEntries(
          group.leaves.map((leaf) => [
            leaf.name,
            t.field({ type: direction, description: leaf.description }),
          ]),
        ),
    }),
  }));
  return builder.inputRef<OrderInput>("CustomerOrder").implement({
    description: "What to order by. Name exactly one field.",
    isOneOf: true,
    fields: (t) => ({
      customerId: t.field({ type: direction, description: "By customer id, as text." }),
      ...Object.fromEntries(
        inputs.map(({ name, input, description }) => [name, t.field({ type: input, description })]),
      ),
    }),
  });
}
