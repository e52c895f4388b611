import type { Context } from "../resolvers/context.ts";
import { customer } from "../resolvers/customers.ts";
import { globalId, readGlobalId } from "../resolvers/node.ts";
import { inlineRows } from "../resolvers/rows.ts";
import { membershipOf } from "../resolvers/segments.ts";
import type { Addressable, Surface } from "./surface.ts";

/** Declares Node and the query that finds any of them by global id. */
export function declareNode(surface: Surface): void {
  const { builder, refs, names } = surface;
  refs.node.implement({
    description: "Something with an id that is unique over all types.",
    fields: (t) => ({
      id: t.id({
        description: "Global id: pass it to `node`.",
        resolve: (each) => globalId(typeOf(surface, each), ...keyOf(each)),
      }),
    }),
    resolveType: (each) => typeOf(surface, each),
  });
  const tables = new Map(
    surface.plan.tables
      .filter((table) => table.storage.kind === "inline")
      .map((table) => [names.table(table.name).type, table.name]),
  );
  builder.queryField("node", (t) =>
    t.field({
      type: refs.node,
      nullable: true,
      description: "What a global id stands for; null when it is no longer there.",
      args: { id: t.arg.id({ required: true, description: "The global id." }) },
      resolve: (_, { id }, context) => find(context, id, tables),
    }),
  );
}

const PARTS: Readonly<Record<string, number>> = { Customer: 1, Segment: 1, SegmentMembership: 2, Offer: 2 };

async function find(
  context: Context,
  id: string,
  tables: ReadonlyMap<string, string>,
): Promise<Addressable | null> {
  const { type, key } = readGlobalId(id, (name) =>
    Object.hasOwn(PARTS, name) ? (PARTS[name] ?? null) : tables.has(name) ? 2 : null,
  );
  const [owner = "", name = ""] = key;
  if (type === "Segment") return context.plan.segments.find((each) => each.name === owner) ?? null;
  const found = await customer(context, owner);
  if (found === null || type === "Customer") return found;
  if (type === "SegmentMembership") {
    return context.plan.segments.some((each) => each.name === name)
      ? membershipOf(context, found, name)
      : null;
  }
  if (type === "Offer") {
    const state = found.offers[name];
    return state ? { customerId: owner, offer: name, state, customer: found } : null;
  }
  return inlineRows(found, tables.get(type) ?? "").find((row) => row.key === name) ?? null;
}

function typeOf({ names }: Surface, each: Addressable): string {
  if ("tables" in each) return "Customer";
  if ("table" in each) return names.table(each.table).type;
  if ("offer" in each) return "Offer";
  return "segment" in each ? "SegmentMembership" : "Segment";
}

function keyOf(each: Addressable): readonly string[] {
  if ("tables" in each) return [each.customerId];
  if ("table" in each) return [each.customerId, each.key];
  if ("offer" in each) return [each.customerId, each.offer];
  return "segment" in each ? [each.customer.customerId, each.segment] : [each.name];
}
