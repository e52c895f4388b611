import type { Comparison, CustomerFilter } from "../../../customer/values/filter.ts";
import type { SqlValue } from "../../../embedded/database.ts";
import { factName, INCOMPARABLE, requireFact, storedValue } from "../../facts.ts";
import type { Fact, FindFact } from "../../facts.ts";
import { storedText } from "../../stored-text.ts";

/** A condition over the table `facts` that answers true or false exactly as `matches` does. */
export interface FilterSql {
  readonly sql: string;
  readonly parameters: readonly SqlValue[];
  /** Columns it compares by value: worth an index. */
  readonly columns: ReadonlySet<string>;
}

/** Translates a filter. Null selects everybody. */
export function filterSql(filter: CustomerFilter | null, find: FindFact): FilterSql {
  const parameters: SqlValue[] = [];
  const columns = new Set<string>();
  const write = (part: CustomerFilter): string => {
    switch (part.kind) {
      case "and":
      case "or":
        if (part.filters.length === 0) return part.kind === "and" ? "1" : "0";
        return joined(part.filters.map(write), part.kind === "and" ? "AND" : "OR");
      case "not":
        // A comparison with null is null in SQL and false in `matches`.
        return `NOT ifnull(${write(part.filter)}, 0)`;
      case "segment": {
        const { column } = requireFact(find, `segment:${part.segment}`);
        columns.add(column);
        parameters.push(JSON.stringify(part.in.map(storedText)));
        return `${column} IN (SELECT value FROM json_each(?))`;
      }
      case "field": {
        const name = factName(part.field);
        const fact =
          name === null ? { column: "id", name: "id", as: "text" as const } : requireFact(find, name);
        const leaf = comparison(fact, part.test);
        if (leaf.indexed && name !== null) columns.add(fact.column);
        parameters.push(...leaf.parameters);
        return leaf.sql;
      }
    }
  };
  const sql = filter === null ? "1" : write(filter);
  return { sql, parameters, columns };
}

/** Conditions in pairs, and pairs of those: SQLite takes a list of them for as many levels, and takes 1,000 at most. */
function joined(conditions: readonly string[], by: "AND" | "OR"): string {
  const [first = ""] = conditions;
  if (conditions.length === 1) return first;
  const half = conditions.length >> 1;
  return `(${joined(conditions.slice(0, half), by)} ${by} ${joined(conditions.slice(half), by)})`;
}

interface Leaf {
  readonly sql: string;
  readonly parameters: readonly SqlValue[];
  readonly indexed: boolean;
}

const NEVER: Leaf = { sql: "0", parameters: [], indexed: false };
const OPERATORS = { eq: "=", ne: "<>", lt: "<", lte: "<=", gt: ">", gte: ">=" } as const;

function comparison({ column, name, as }: Fact, test: Comparison): Leaf {
  switch (test.op) {
    case "isNull":
      return { sql: `${column} IS ${test.value ? "" : "NOT "}NULL`, parameters: [], indexed: false };
    case "in": {
      const values = test.values.map((value) => storedValue(value, as)).filter(isComparable);
      if (values.length === 0) return NEVER;
      return { sql: `${column} IN (${values.map(() => "?").join(", ")})`, parameters: values, indexed: true };
    }
    case "contains":
    case "startsWith": {
      if (as !== "text") throw new Error(`${name} is not text: it cannot be searched`);
      const found = test.op === "contains" ? "> 0" : "= 1";
      return {
        sql: `(typeof(${column}) = 'text' AND instr(${column}, ?) ${found})`,
        parameters: [storedText(test.value)],
        indexed: false,
      };
    }
    default: {
      const value = storedValue(test.value, as);
      if (!isComparable(value)) return NEVER;
      const sql = `${column} ${OPERATORS[test.op]} ?`;
      // What compares with nothing is stored as an empty blob, which SQL sorts above everything.
      const above = test.op === "ne" || test.op === "gt" || test.op === "gte";
      return {
        sql: above ? `(${sql} AND ${column} < x'')` : sql,
        parameters: [value],
        indexed: test.op !== "ne",
      };
    }
  }
}

function isComparable(value: SqlValue): value is string | number {
  return value !== null && value !== INCOMPARABLE;
}
