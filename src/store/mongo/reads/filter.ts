import type { ComparedAs } from "../../../customer/values/compare.ts";
import type { Comparison, CustomerFilter } from "../../../customer/values/filter.ts";
import { factName, requireFact } from "../../facts.ts";
import type { FindFact } from "../../facts.ts";
import { factField, factValue } from "../documents/facts.ts";
import { orderedText } from "../documents/names.ts";
import type { Stored } from "../documents/values.ts";

/** A condition on documents that selects exactly whom `matches` does. */
export interface MongoFilter {
  readonly match: Stored;
  /** Fields it compares by value: worth an index. */
  readonly fields: ReadonlySet<string>;
}

const EVERYBODY: Stored = {};
const NOBODY_AT_ALL: Stored = { _id: { $in: [] } };

/** Translates a filter. Null selects everybody. No value of it can become an operator: each stands where an operand does. */
export function mongoFilter(filter: CustomerFilter | null, find: FindFact): MongoFilter {
  const fields = new Set<string>();
  const write = (part: CustomerFilter): Stored => {
    switch (part.kind) {
      case "and":
        return part.filters.length === 0 ? EVERYBODY : { $and: part.filters.map(write) };
      case "or":
        return part.filters.length === 0 ? NOBODY_AT_ALL : { $or: part.filters.map(write) };
      case "not":
        return { $nor: [write(part.filter)] };
      case "segment": {
        const field = factField(requireFact(find, `segment:${part.segment}`).name);
        fields.add(field);
        return { [field]: { $in: part.in.map(orderedText) } };
      }
      case "field": {
        const name = factName(part.field);
        const fact = name === null ? null : requireFact(find, name);
        const field = fact === null ? "_id" : factField(fact.name);
        const test = condition(part.test, fact?.as ?? "text");
        if (test === null) return NOBODY_AT_ALL;
        if (fact !== null && isByValue(part.test)) fields.add(field);
        return { [field]: test };
      }
    }
  };
  return { match: filter === null ? EVERYBODY : write(filter), fields };
}

function isByValue({ op }: Comparison): boolean {
  return op !== "isNull" && op !== "ne" && op !== "contains" && op !== "startsWith";
}

/** The least value that compares: values of another type, and none, are never matched by a range of it. */
export function leastOf(as: ComparedAs): string | number {
  return as === "number" || as === "boolean" ? -Infinity : "";
}

const OPERATORS = { eq: "$eq", lt: "$lt", lte: "$lte", gt: "$gt", gte: "$gte" } as const;

/** What a field must be; null when nothing is. */
function condition(test: Comparison, as: ComparedAs): Stored | null {
  switch (test.op) {
    case "isNull":
      return { $exists: !test.value };
    case "in":
      return { $in: test.values.map((value) => factValue(value, as)).filter(isComparable) };
    case "contains":
    case "startsWith":
      if (as !== "text") throw new Error("what is not text cannot be searched");
      return { $regex: (test.op === "startsWith" ? "^" : "") + literal(orderedText(test.value)) };
    case "ne": {
      const value = factValue(test.value, as);
      return isComparable(value) ? { $gte: leastOf(as), $ne: value } : null;
    }
    default: {
      const value = factValue(test.value, as);
      return isComparable(value) ? { [OPERATORS[test.op]]: value } : null;
    }
  }
}

function isComparable(value: ReturnType<typeof factValue>): value is string | number {
  return value !== null && value !== false;
}

/** A text as a regular expression that finds it and nothing else; a pattern cannot hold a NUL. */
function literal(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&").replaceAll("\u0000", "\\x00");
}
