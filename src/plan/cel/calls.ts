import type { Node } from "./cel.ts";
import { fault, fixed, leftToCel } from "./compiled.ts";
import type { Compiled, Work } from "./compiled.ts";
import { daysBetween, instantOf } from "./instants.ts";
import { kindName } from "./kinds.ts";
import type { Kind } from "./kinds.ts";
import { instant } from "./operators.ts";
import type { Val } from "./operators.ts";
import { found } from "./patterns.ts";

/** A function the closures know: what it takes, what it gives. It sees present values only; null arguments are errors. */
interface Known {
  readonly takes: readonly Kind[];
  readonly gives: Kind;
  readonly run: (a: Val, b: Val) => Val;
}

/** Methods carry a leading dot; their receiver is the first argument. */
const KNOWN: ReadonlyMap<string, Known> = new Map<string, Known>([
  ["days", { takes: ["instant", "instant"], gives: "int", run: days }],
  ["size", { takes: ["string"], gives: "int", run: size }],
  [".size", { takes: ["string"], gives: "int", run: size }],
  [".contains", { takes: ["string", "string"], gives: "bool", run: (a, b) => String(a).includes(String(b)) }],
  [
    ".startsWith",
    { takes: ["string", "string"], gives: "bool", run: (a, b) => String(a).startsWith(String(b)) },
  ],
  [".endsWith", { takes: ["string", "string"], gives: "bool", run: (a, b) => String(a).endsWith(String(b)) }],
  [".matches", { takes: ["string", "string"], gives: "bool", run: (a, b) => found(String(b), String(a)) }],
  [".lowerAscii", { takes: ["string"], gives: "string", run: (a) => String(a).toLowerCase() }],
  [".upperAscii", { takes: ["string"], gives: "string", run: (a) => String(a).toUpperCase() }],
  [".trim", { takes: ["string"], gives: "string", run: (a) => String(a).trim() }],
]);

/** True when calls of this name and number of arguments are compiled rather than left to CEL. */
export function isKnownFunction(name: string, count: number): boolean {
  return (name === "timestamp" && count === 1) || KNOWN.get(name)?.takes.length === count;
}

/** A call with its compiled arguments. */
export interface Call<C> {
  readonly name: string;
  readonly args: readonly Compiled<C>[];
}

/** Compiles a call of a known function. */
export function functionCall<C>(node: Node, { name, args }: Call<C>, work: Work<C>): Compiled<C> {
  const [first, second] = args;
  const known = KNOWN.get(name);
  if (first === undefined) return leftToCel(work);
  if (known === undefined) return timestamp(node, first, work);
  const kinds = args.map((arg) => arg.kind);
  if (kinds.some((kind) => typeof kind === "object")) return leftToCel(work);
  if (!known.takes.every((kind, index) => fits(kind, kinds[index]))) {
    const given = kinds.map(kindName).join(", ");
    return fault(
      node,
      work,
      `${name}(${given}) is not possible: it takes ${known.takes.map(kindName).join(", ")}`,
    );
  }
  const [a, b, needsSecond] = [first.run, second?.run ?? first.run, second !== undefined];
  const run = (context: C): Val => {
    const x = a(context);
    const y = needsSecond ? b(context) : x;
    return x === undefined || x === null || y === undefined || y === null ? undefined : known.run(x, y);
  };
  return { kind: known.gives, run };
}

function fits(wanted: Kind, given: Kind | undefined): boolean {
  return given === wanted || given === "any" || (wanted === "string" && given === "date");
}

/** A written timestamp becomes a constant; one worked out from a column is left to CEL. */
function timestamp<C>(node: Node, text: Compiled<C>, work: Work<C>): Compiled<C> {
  if (text.constant === undefined) return leftToCel(work);
  const value = typeof text.constant === "string" ? text.constant : "";
  const found = /^\d{4}-\d{2}-\d{2}T.*(Z|[+-]\d{2}:\d{2})$/.test(value) ? instantOf(value) : null;
  if (found === null) return fault(node, work, 'a timestamp is written as timestamp("2024-05-17T10:00:00Z")');
  return fixed("instant", found);
}

function days(a: Val, b: Val): Val {
  const [from, to] = [instant(a), instant(b)];
  if (from === null || to === null) return undefined;
  const count = daysBetween(from, to);
  return count === null ? undefined : Number(count);
}

/** CEL counts code points, not the halves JavaScript counts. */
function size(text: Val): Val {
  let count = 0;
  for (const _ of String(text)) count++;
  return count;
}
