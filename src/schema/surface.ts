import type { ColumnType, TablePlan } from "../cdc/table.ts";
import type { Customer } from "../customer/customer.ts";
import type { MetricType, Plan, SegmentPlan } from "../customer/plan.ts";
import { graphqlNames } from "../plan/names.ts";
import type { GraphqlNames } from "../plan/names.ts";
import type { SegmentMember } from "../resolvers/frames/frames.ts";
import type { MadeOffer } from "../resolvers/offers.ts";
import type { ListedRow } from "../store/reads.ts";
import { createBuilder } from "./builder.ts";
import type { Builder } from "./builder.ts";

/** Objects that have a global id and can be asked for by it. */
export type Addressable = Customer | SegmentMember | SegmentPlan | MadeOffer | ListedRow;

/** What the declarations share: the plan they declare, its names, and references to each other's types. */
export interface Surface {
  readonly builder: Builder;
  readonly plan: Plan;
  readonly names: GraphqlNames;
  readonly refs: ReturnType<typeof createRefs>;
}

/** A surface with nothing declared on it yet. */
export function createSurface(plan: Plan): Surface {
  const builder = createBuilder();
  const names = withDatabaseId(graphqlNames(plan));
  return { builder, plan, names, refs: createRefs(builder, plan, names) };
}

/** `id` is the global id of a row, so a column of that name is served as `databaseId`. */
function withDatabaseId(names: GraphqlNames): GraphqlNames {
  const column = (table: string, name: string) => {
    const given = names.column(table, name);
    return given === "id" ? "databaseId" : given;
  };
  return { ...names, column };
}

function createRefs(builder: Builder, plan: Plan, names: GraphqlNames) {
  return {
    node: builder.interfaceRef<Addressable>("Node"),
    customer: builder.objectRef<Customer>("Customer"),
    membership: builder.objectRef<SegmentMember>("SegmentMembership"),
    segment: builder.objectRef<SegmentPlan>("Segment"),
    offer: builder.objectRef<MadeOffer>("Offer"),
    rows: new Map(
      plan.tables.map((table) => [table.name, builder.objectRef<ListedRow>(names.table(table.name).type)]),
    ),
  };
}

/** The row type of a table. */
export function rowRef(surface: Surface, table: TablePlan) {
  const ref = surface.refs.rows.get(table.name);
  if (!ref) throw new Error(`table ${table.name} has no row type`);
  return ref;
}

const SCALARS = {
  text: "String",
  enum: "String",
  uuid: "String",
  bytes: "String",
  json: "JsonText",
  int: "Int",
  bigint: "BigInt",
  decimal: "Decimal",
  float: "Double",
  boolean: "Boolean",
  date: "Date",
  time: "Time",
  timestamp: "DateTime",
} as const satisfies Record<ColumnType | MetricType, string>;

/** Name of the scalar of a column or metric. */
export type ScalarName = (typeof SCALARS)[keyof typeof SCALARS];

/** The scalar that a column or metric of the type is served as. */
export function scalarOf(type: ColumnType | MetricType): ScalarName {
  return SCALARS[type];
}

/** A sentence for every declaration: the file's own, or one made from the name. */
export function described(description: string | null | undefined, otherwise: string): string {
  return description === null || description === undefined || description.trim() === ""
    ? otherwise
    : description;
}

/** A changed path in the names of the schema: tables and metrics have their field names, segments and offers their keys. */
export function changedField({ names }: Surface, path: string): string {
  const [head = "", name] = path.split(".", 2);
  if (name === undefined) return names.table(head).field;
  return head === "metrics" ? `metrics.${names.metric(name)}` : path;
}
