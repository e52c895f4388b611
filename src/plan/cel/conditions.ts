import type { Value, Values } from "../../cdc/change.ts";
import type { RowCondition } from "../../cdc/table.ts";
import type { CustomerCondition, MetricType, Scope } from "../../customer/plan.ts";
import { celValue, checkCel, evaluator, parseCel } from "./cel.ts";
import type { CelFault } from "./cel.ts";
import { compile } from "./closures.ts";
import type { Reader, Work } from "./compiled.ts";
import { Instant, instantText } from "./instants.ts";
import { kindName } from "./kinds.ts";
import type { Field, Kind, Roots } from "./kinds.ts";
import { decimalText } from "./numbers.ts";
import { exact } from "./operators.ts";
import type { Val } from "./operators.ts";

/** One field an expression reads. */
interface Read {
  readonly root: string;
  readonly name: string;
  readonly field: Field;
}

/** What compiling gave: something to run, or every fault found, each with its offset in the expression. */
export type Outcome<T> = { readonly ok: T } | { readonly faults: readonly CelFault[] };

interface Expression<C> {
  readonly kind: Kind;
  readonly run: (context: C) => Val;
  readonly reads: readonly Read[];
}

/** Compiles a condition over one row (`row.<column>`, `settings.<name>`); a failing evaluation answers false. */
export function rowCondition(text: string, roots: Roots): Outcome<RowCondition> {
  const outcome = truthful(expression(text, roots, rowReader));
  return "faults" in outcome ? outcome : { ok: (values) => outcome.ok.run(values) === true };
}

/** Compiles a condition over a customer, with the words that explain it; a failing evaluation answers false. */
export function customerCondition(text: string, roots: Roots): Outcome<CustomerCondition> {
  const outcome = truthful(expression(text, roots, scopeReader));
  if ("faults" in outcome) return outcome;
  const { run, reads } = outcome.ok;
  const unique = reads.filter(
    ({ root, name }, at) => reads.findIndex((one) => one.root === root && one.name === name) === at,
  );
  const parts = unique.map(({ root, name, field }) => ({
    say: sayer(name, field),
    read: scopeReader(root, name),
  }));
  return {
    ok: {
      holds: (scope) => run(scope) === true,
      explain: (scope) => parts.map(({ say, read }) => say(read(scope))).join(", "),
    },
  };
}

/** An expression metric: its function, and what it reads. */
export interface CompiledExpression {
  readonly evaluate: (scope: Scope) => Value;
  readonly reads: readonly Read[];
}

/** Compiles an expression over a customer to a value of the given type and scale; null in place of any error. */
export function valueExpression(
  text: string,
  roots: Roots,
  result: { readonly type: MetricType; readonly scale: number },
): Outcome<CompiledExpression> {
  const outcome = expression(text, roots, scopeReader);
  if ("faults" in outcome) return outcome;
  const { kind, run, reads } = outcome.ok;
  const convert = converter(kind, result);
  if (convert === null) {
    return { faults: [{ offset: 0, text: `this is ${kindName(kind)}, and its type says ${result.type}` }] };
  }
  const evaluate = (scope: Scope): Value => {
    const value = run(scope);
    return value === null || value === undefined ? null : convert(value);
  };
  return { ok: { evaluate, reads } };
}

/** How a value is told: `deposits 5.00`, `mortgage purchased at 2024-05-17T10:00:00Z`, `deposits unknown`. */
function sayer(name: string, { kind, title = name }: Field): (value: Val) => string {
  const said = kind === "instant" ? words(title).replace(/ ts$/, " at") : words(title);
  const unknown = said.endsWith(" at") ? "no known time" : spoken(null);
  return (value) => `${said} ${value === null || value === undefined ? unknown : spoken(value)}`;
}

/** `number_of_tickets` and `onlineTransactions` as words. */
function words(name: string): string {
  return name
    .replaceAll("_", " ")
    .replace(/([a-z0-9])([A-Z])/g, "$1 $2")
    .toLowerCase();
}

/** A value in a sentence; null is "unknown". */
export function spoken(value: unknown): string {
  if (value === null || value === undefined) return "unknown";
  return Array.isArray(value) ? value.map(spoken).join(" and ") : String(value);
}

/** Reads a field of a customer's scope: a metric, a segment, or a column of a one-row table. */
export function scopeReader(root: string, name: string): (scope: Scope) => Val {
  if (root === "metrics") return (scope) => scope.metrics[name] ?? null;
  if (root === "segments") return (scope) => scope.segments[name] ?? null;
  return (scope) => scope.rows[root]?.[name] ?? null;
}

function rowReader(_root: string, name: string): (values: Values) => Val {
  return (values) => values[name] ?? null;
}

function truthful<C>(outcome: Outcome<Expression<C>>): Outcome<Expression<C>> {
  if ("faults" in outcome) return outcome;
  const { kind } = outcome.ok;
  if (kind === "bool" || kind === "any") return outcome;
  return { faults: [{ offset: 0, text: `a condition is true or false, and this is ${kindName(kind)}` }] };
}

function expression<C>(text: string, roots: Roots, reader: Reader<C>): Outcome<Expression<C>> {
  const node = parseCel(text);
  if (!("op" in node)) return { faults: [node] };
  const work: Work<C> = { roots, reader, reads: [], faults: [], beyond: false };
  const compiled = compile(node, work);
  if (work.faults.length > 0) return { faults: work.faults };
  if (!work.beyond) return { ok: { kind: compiled.kind, run: compiled.run, reads: work.reads } };
  const kind = checkCel(text, roots);
  if (typeof kind === "object" && "offset" in kind) return { faults: [kind] };
  return { ok: { kind, run: byCel(text, work), reads: work.reads } };
}

/** Evaluation by CEL itself: only the columns the expression names are converted. */
export function byCel<C>(
  text: string,
  work: Pick<Work<C>, "roots" | "reader" | "reads">,
): (context: C) => Val {
  const evaluate = evaluator(text, [...work.roots.keys()]);
  const fields = work.reads.map(({ root, name, field }) => ({
    root,
    name,
    field,
    read: work.reader(root, name),
  }));
  const settings = Object.fromEntries(
    [...(work.roots.get("settings") ?? [])].map(([name, field]) => [
      name,
      celValue(field.constant, field.kind),
    ]),
  );
  return (context) => {
    const roots: Record<string, Record<string, unknown>> = { settings };
    for (const { root, name, field, read } of fields)
      (roots[root] ??= {})[name] = celValue(read(context), field.kind);
    try {
      const value = evaluate(roots);
      return value instanceof Date ? new Instant(BigInt(value.getTime()) * 1_000_000n) : (value as Val);
    } catch {
      return undefined;
    }
  };
}

type Present = NonNullable<Val>;

/** From what an expression yields to the stored form of a metric's type; null when the two do not go together. */
function converter(
  kind: Kind,
  { type, scale }: { readonly type: MetricType; readonly scale: number },
): ((value: Present) => Value) | null {
  const numeric =
    kind === "int" || kind === "double" || kind === "decimal" || kind === "any" || kind === "null";
  if (type === "decimal") return numeric ? (value) => decimalText(exact(value), scale) : null;
  if (type === "float")
    return numeric
      ? (value) => storedFloat(kind === "decimal" ? Number(decimalText(exact(value), 20)) : Number(value))
      : null;
  const loose = kind === "any" || kind === "null";
  if (type === "int") return kind === "int" || loose ? storedInt : null;
  if (type === "bigint") return kind === "int" || loose ? (value) => String(value) : null;
  if (type === "boolean") return kind === "bool" || loose ? (value) => value === true : null;
  if (type === "timestamp") return kind === "instant" || loose ? storedInstant : null;
  return kind === "string" || kind === "date" || loose ? (value) => String(value) : null;
}

function storedFloat(value: number): Value {
  return Number.isFinite(value) ? value : String(value);
}

/** An int metric holds 32 bits; a greater number is null rather than wrong (type bigint takes it). */
function storedInt(value: Present): Value {
  const number = Number(value);
  return Math.abs(number) < 2 ** 31 ? number : null;
}

function storedInstant(value: Present): Value {
  return value instanceof Instant ? instantText(value) : String(value);
}
