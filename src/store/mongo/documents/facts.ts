import type { Value } from "../../../cdc/change.ts";
import type { Customer } from "../../../customer/customer.ts";
import type { ComparedAs } from "../../../customer/values/compare.ts";
import { type FactGroup, INCOMPARABLE, storedValue } from "../../facts.ts";
import { fieldName, orderedText } from "./names.ts";
import type { Patch } from "./patch.ts";
import type { Stored } from "./values.ts";

/** What a fact is stored as. False stands for a value that compares with nothing, null (as an absent field) for none. */
export type FactValue = string | number | false | null;

/** A value as stored: servers compare stored values as `compareValues` compares the originals. */
export function factValue(value: Value | undefined, as: ComparedAs): FactValue {
  if (as === "text" && typeof value !== "object" && value !== undefined) return orderedText(String(value));
  const found = storedValue(value, as);
  if (found === INCOMPARABLE || found instanceof Uint8Array) return false;
  // Servers do not agree on whether -0 is 0.
  return typeof found === "string" ? orderedText(found) : found === 0 ? 0 : found;
}

/** The field a fact is kept in. */
export function factField(name: string): string {
  return fieldOf(name).path;
}

/** A fact's name as that of a field, and its path in a document. */
interface FactField {
  readonly name: string;
  readonly path: string;
}

/** A pipeline declares a few names, and every document asks for each of them. */
const fields = new Map<string, FactField>();
const MOST_NAMES = 10_000;

function fieldOf(name: string): FactField {
  const known = fields.get(name);
  if (known !== undefined) return known;
  if (fields.size >= MOST_NAMES) fields.clear();
  const made = { name: fieldName(name), path: `facts.${fieldName(name)}` };
  fields.set(name, made);
  return made;
}

/** All facts of a customer, as its document holds them. */
export function factsIn(groups: readonly FactGroup[], customer: Customer): Stored {
  const facts: Record<string, FactValue> = {};
  for (const group of groups) {
    const values = group.values(customer);
    for (const [index, { name, as }] of group.facts.entries()) {
      const value = factValue(values[index], as);
      if (value !== null) facts[fieldOf(name).name] = value;
    }
  }
  return facts;
}

/** Adds what differs between the facts of two versions; what is read from a part that did not change is not looked at. */
export function patchFacts(
  patch: Patch,
  groups: readonly FactGroup[],
  { before, after }: { readonly before: Customer; readonly after: Customer },
): void {
  for (const group of groups) {
    if (group.part(before) === group.part(after)) continue;
    const old = group.values(before);
    const now = group.values(after);
    for (const [index, { name, as }] of group.facts.entries()) {
      if (old[index] === now[index]) continue;
      const value = factValue(now[index], as);
      if (value === factValue(old[index], as)) continue;
      if (value === null) patch.unset[factField(name)] = true;
      else patch.set[factField(name)] = value;
    }
  }
}
