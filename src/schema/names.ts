import type { Plan } from "../customer/plan.ts";
import type { Names } from "./surface.ts";

const camel = (name: string) => name.replace(/_+([A-Za-z0-9])/g, (_, letter: string) => letter.toUpperCase());
const pascal = (name: string) => camel(name).replace(/^./, (letter) => letter.toUpperCase());

/** What GraphQL calls the parts of a plan. */
export function namesOf(plan: Plan): Names {
  const tables = new Map(plan.tables.map((table) => [table.name, table]));
  return {
    table: (table) => ({ field: camel(table), type: tables.get(table)?.typeName ?? pascal(table) }),
    column: (table, column) =>
      tables.get(table)?.columns.find((each) => each.name === column)?.as ?? camel(column),
    metric: camel,
    segment: (segment) => ({ field: camel(segment), type: pascal(segment) }),
    tier: (_, tier) => tier,
  };
}
