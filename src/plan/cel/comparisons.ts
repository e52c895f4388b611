import { suggestion } from "../faults.ts";
import type { Node } from "./cel.ts";
import { fault, leftToCel, nothing } from "./compiled.ts";
import type { Compiled, Run, Work } from "./compiled.ts";
import { kindName } from "./kinds.ts";
import type { Kind } from "./kinds.ts";
import { comparer, exact, meet } from "./operators.ts";
import type { Compare, Val } from "./operators.ts";

/** Two compiled operands with the nodes they came from. */
export interface Operands<C> {
  readonly left: Node;
  readonly right: Node;
  readonly a: Compiled<C>;
  readonly b: Compiled<C>;
}

/** `==`, `!=` and the four orders. Nulls are equal to null only, and have no order. */
export function comparison<C>(node: Node, { left, right, a, b }: Operands<C>, work: Work<C>): Compiled<C> {
  const kind = meet(a.kind, b.kind);
  const equality = node.op === "==" || node.op === "!=";
  const wrong = kind === null ? "cannot be compared" : mismatch(kind, a, b, equality);
  if (wrong !== null) {
    return fault(node, work, `${kindName(a.kind)} ${node.op} ${kindName(b.kind)}: ${wrong}${remedy(a, b)}`);
  }
  checkChoice(a, b, right, work);
  checkChoice(b, a, left, work);
  if (kind === null || kind === "any") return nothing("bool");
  if (typeof kind === "object" && a.kind !== "null" && b.kind !== "null") return leftToCel(work);
  const compare = comparer(kind);
  const run = equality
    ? equals(a.run, settled(b, kind), compare, node.op === "==")
    : orders(node.op, a.run, settled(b, kind), compare);
  return { kind: "bool", run };
}

/** A constant in the form its comparison is quickest with. */
function settled<C>(compiled: Compiled<C>, kind: Kind): (context: C) => Val {
  const value = compiled.constant;
  if (value === undefined || value === null || kind !== "decimal" || compiled.kind === "decimal")
    return compiled.run;
  const text = String(value);
  const decimal = exact(value);
  return text.includes("e") || text.length > 15 ? () => decimal : () => text;
}

function mismatch<C>(kind: Kind, a: Compiled<C>, b: Compiled<C>, equality: boolean): string | null {
  if (!equality && (a.kind === "null" || b.kind === "null"))
    return "nothing is above or below null; use == null";
  if (!equality && typeof kind === "object") return "lists have no order";
  if (kind !== "date") return null;
  const literals = [a, b].filter((one) => one.kind === "string").map((one) => one.constant);
  const isDate = (text: Val): boolean =>
    typeof text === "string" && /^\d{4}-\d{2}-\d{2}$|^-?infinity$/.test(text);
  return literals.every(isDate) ? null : 'a date is compared with a text such as "2024-05-17"';
}

function remedy<C>(a: Compiled<C>, b: Compiled<C>): string {
  const pair = [a, b] as const;
  if (pair.some((one) => one.kind === "instant")) return '; write timestamp("2024-05-17T10:00:00Z")';
  const constant = pair.find((one) => one.constant !== undefined && one.field === undefined)?.constant;
  const other = pair.find((one) => one.constant === undefined);
  if (other?.kind === "string" && typeof constant === "number") return `; the text would be "${constant}"`;
  return "";
}

/** A text that a segment can never have is a spelling mistake. */
function checkChoice<C>(field: Compiled<C>, other: Compiled<C>, node: Node, work: Work<C>): void {
  const choices = field.field?.choices;
  if (!choices || typeof other.constant !== "string" || choices.includes(other.constant)) return;
  fault(node, work, `"${other.constant}" is none of its values${suggestion(other.constant, choices)}`);
}

function equals<C>(a: Run<C>, b: Run<C>, compare: Compare, wanted: boolean): Run<C> {
  return (context) => {
    const x = a(context);
    const y = b(context);
    if (x === undefined || y === undefined) return undefined;
    if (x === null || y === null) return (x === y) === wanted;
    return (compare(x, y) === 0) === wanted;
  };
}

function orders<C>(op: string, a: Run<C>, b: Run<C>, compare: Compare): Run<C> {
  const below = op === "<" || op === "<=";
  const orEqual = op === "<=" || op === ">=";
  return (context) => {
    const x = a(context);
    const y = b(context);
    if (x === undefined || y === undefined || x === null || y === null) return undefined;
    const order = compare(x, y);
    return order === 0 ? orEqual : below ? order < 0 : order > 0;
  };
}

/** `in` a written list; `choices` are its compiled members. */
export function amongChoices<C>(
  wanted: Compiled<C>,
  choices: readonly Choice<C>[],
  work: Work<C>,
): Compiled<C> {
  let kind: Kind = wanted.kind;
  for (const { node, compiled } of choices) {
    const met = meet(wanted.kind, compiled.kind);
    if (met === null)
      return fault(node, work, `${kindName(compiled.kind)} in a list for ${kindName(wanted.kind)}`);
    if (met !== wanted.kind) kind = met;
    checkChoice(wanted, compiled, node, work);
  }
  const constants = choices.map(({ compiled }) => compiled.constant ?? null);
  if (constants.includes(null) || typeof kind === "object") return leftToCel(work);
  return { kind: "bool", run: isAmong(wanted.run, constants, comparer(kind)) };
}

/** One member of a written list. */
export interface Choice<C> {
  readonly node: Node;
  readonly compiled: Compiled<C>;
}

function isAmong<C>(wanted: Run<C>, choices: readonly Val[], compare: Compare): Run<C> {
  return (context) => {
    const value = wanted(context);
    if (value === undefined) return undefined;
    return value !== null && choices.some((choice) => value === choice || compare(value, choice) === 0);
  };
}

/** `in` a column that holds a list. */
export function amongList<C>(node: Node, wanted: Compiled<C>, list: Compiled<C>, work: Work<C>): Compiled<C> {
  if (list.kind === "any") return nothing("bool");
  if (typeof list.kind !== "object")
    return fault(node, work, `"in" needs a list, and this is ${kindName(list.kind)}`);
  if (list.kind.list !== "string" || wanted.kind !== "string") return leftToCel(work);
  const run = (context: C): Val => {
    const [value, among] = [wanted.run(context), list.run(context)];
    return value === undefined || !Array.isArray(among) ? undefined : among.includes(value);
  };
  return { kind: "bool", run };
}
