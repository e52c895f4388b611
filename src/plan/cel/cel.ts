import { Duration, Environment } from "@marcbachmann/cel-js/evaluator";
import type { ASTNode } from "@marcbachmann/cel-js";
import { inPlainWords } from "./cel-words.ts";
import { isTooDeep, TOO_DEEP } from "./depth.ts";
import { Instant, daysBetween, instantOf } from "./instants.ts";
import type { Kind, Roots } from "./kinds.ts";
import { Decimal, calculate, compareDecimals, decimalOf, toDecimal } from "./numbers.ts";
import { found } from "./patterns.ts";

/** A parsed expression as CEL sees it: an operator, its operands, and where it stands in the text. */
export type Node = ASTNode;

/** Why an expression is no good; `offset` counts characters from its start. */
export interface CelFault {
  readonly text: string;
  readonly offset: number;
}

type Numeric = Decimal | bigint | number;
type Context = Record<string, Record<string, unknown>>;

const NUMERIC = ["int", "double", "decimal"] as const;
const KINDS_WITH_NULL = ["string", "int", "double", "bool", "decimal", "instant"] as const;
const TIMESTAMP = "google.protobuf.Timestamp";
const DURATION = "google.protobuf.Duration";
/** What stands in for the library's own `matches`, which cannot be replaced under its name and backtracks. */
const LINEAR_MATCHES = "matchesInLinearTime";

const evaluation = environment();
for (const root of ["row", "metrics", "segments", "settings"]) evaluation.registerVariable(root, "dyn");

/** Parses an expression; the syntax tree, or the fault with its place. */
export function parseCel(text: string): Node | CelFault {
  try {
    const { ast } = evaluation.parse(text);
    return isTooDeep(ast) ? { text: TOO_DEEP, offset: 0 } : ast;
  } catch (error) {
    return faultOf(error, text);
  }
}

/** CEL's own type check of an expression over the given names: the kind of its value, or the fault. */
export function checkCel(text: string, roots: Roots): Kind | CelFault {
  const typed = environment();
  for (const kind of KINDS_WITH_NULL) typed.registerOperator(`${kind} == null`, (a, b) => a === b);
  for (const [root, fields] of roots) {
    const schema = Object.fromEntries([...fields].map(([name, field]) => [name, celType(field.kind)]));
    if (fields.size > 0) typed.registerVariable(root, { schema });
  }
  const checked = parsed(typed, text).check();
  return checked.valid ? kindOf(checked.type ?? "dyn") : faultOf(checked.error, text);
}

/** The library's form of an expression, with `matches` as CEL means it: by a pattern of RE2. */
function parsed(env: Environment, text: string): ReturnType<Environment["parse"]> {
  const form = env.parse(text);
  replaceMatches(form.ast);
  return form;
}

function replaceMatches(part: unknown): void {
  if (typeof part !== "object" || part === null) return;
  if (Array.isArray(part)) for (const one of part) replaceMatches(one);
  else if ("op" in part && "args" in part) {
    replaceMatches(part.args);
    if (part.op === "rcall" && Array.isArray(part.args) && part.args[0] === "matches") {
      part.args[0] = LINEAR_MATCHES;
    }
  }
}

function kindOf(type: string): Kind {
  if (type === TIMESTAMP) return "instant";
  const known = KINDS_WITH_NULL.find((kind) => kind === type);
  return known ?? (type === "list" || type.startsWith("list<") ? { list: "any" } : "any");
}

/**
 * CEL's own evaluation of an expression, for what is not compiled to closures, and as the reference the closures are
 * held against. `context` holds CEL values (`celValue`) by root and field; the result is one too. Throws what CEL throws.
 */
export function evaluator(text: string, extraRoots: readonly string[]): (context: Context) => unknown {
  const env = evaluation.clone();
  for (const root of extraRoots) if (!env.hasVariable(root)) env.registerVariable(root, "dyn");
  return parsed(env, text);
}

/** A stored value as CEL wants it: integers as bigint, decimals and timestamps as our exact classes. */
export function celValue(value: unknown, kind: Kind): unknown {
  if (value === null || value === undefined) return null;
  if (typeof kind === "object")
    return Array.isArray(value) ? value.map((one) => celValue(one, kind.list)) : null;
  if (kind === "int") return BigInt(value as string | number);
  if (kind === "double") return Number(value);
  if (kind === "decimal") return decimalOf(String(value));
  return kind === "instant" ? instantOf(String(value)) : value;
}

function celType(kind: Kind): string {
  if (typeof kind === "object") return `list<${celType(kind.list)}>`;
  if (kind === "date") return "string";
  return kind === "any" || kind === "null" ? "dyn" : kind;
}

function faultOf(error: unknown, text: string): CelFault {
  if (!(error instanceof Error)) throw error;
  // The library goes down as deep as the text does.
  if (error instanceof RangeError) return { text: TOO_DEEP, offset: 0 };
  const summary = "summary" in error ? String(error.summary) : error.message;
  const range = "range" in error && typeof error.range === "object" ? error.range : null;
  const offset = range !== null && "start" in range ? Number(range.start) : 0;
  const code = "code" in error ? String(error.code) : "";
  const complaint = {
    code,
    summary: summary.replaceAll(LINEAR_MATCHES, "matches"),
    rest: text.slice(offset),
  };
  return { text: inPlainWords(complaint), offset };
}

function environment(): Environment {
  const env = new Environment({});
  env.registerType("decimal", { ctor: Decimal, fields: {} });
  env.registerType("instant", { ctor: Instant, fields: {} });
  registerNumbers(env);
  registerInstants(env);
  env.registerFunction(`string.${LINEAR_MATCHES}(string): bool`, (text: string, pattern: string) =>
    found(pattern, text),
  );
  return env;
}

/** Every pair of number types compares, and computes: CEL itself keeps int and double apart. */
function registerNumbers(env: Environment): void {
  for (const left of NUMERIC) {
    for (const right of NUMERIC) {
      const exact = left === "decimal" || right === "decimal";
      if (exact)
        registerOrder(env, [left, right], (a: Numeric, b: Numeric) =>
          compareDecimals(toDecimal(a), toDecimal(b)),
        );
      if (left === right && !exact) continue;
      for (const op of ["+", "-", "*", "/"] as const) {
        const compute = exact ? exactly(op) : inDoubles(op);
        env.registerOperator(`${left} ${op} ${right}: ${exact ? "decimal" : "double"}`, compute);
      }
    }
  }
  for (const other of ["int", "double"] as const) {
    env.registerOperator(
      `decimal == ${other}`,
      (a: Decimal, b: Numeric) => compareDecimals(a, toDecimal(b)) === 0,
    );
  }
  env.registerOperator("decimal == decimal", (a: Decimal, b: Decimal) => compareDecimals(a, b) === 0);
  env.registerOperator("int == double", (a: bigint, b: number) => Number.isFinite(b) && compareMixed(a, b));
  env.registerOperator("-decimal", (a: Decimal) => exactly("-")(0n, a));
}

function compareMixed(a: bigint, b: number): boolean {
  return Number.isInteger(b) && a === BigInt(b);
}

function exactly(op: "+" | "-" | "*" | "/"): (a: Numeric, b: Numeric) => Decimal {
  return (a, b) => {
    const result = calculate(op, toDecimal(a), toDecimal(b));
    if (result === null) throw new Error("division by zero");
    return result;
  };
}

function inDoubles(op: "+" | "-" | "*" | "/"): (a: bigint | number, b: bigint | number) => number {
  if (op === "+") return (a, b) => Number(a) + Number(b);
  if (op === "-") return (a, b) => Number(a) - Number(b);
  return op === "*" ? (a, b) => Number(a) * Number(b) : (a, b) => Number(a) / Number(b);
}

type Order<T> = (a: T, b: T) => number;

function registerOrder<T>(
  env: Environment,
  [left, right]: readonly [string, string],
  compare: Order<T>,
): void {
  env.registerOperator(`${left} < ${right}`, (a: T, b: T) => compare(a, b) < 0);
  env.registerOperator(`${left} <= ${right}`, (a: T, b: T) => compare(a, b) <= 0);
  env.registerOperator(`${left} > ${right}`, (a: T, b: T) => compare(a, b) > 0);
  env.registerOperator(`${left} >= ${right}`, (a: T, b: T) => compare(a, b) >= 0);
}

/** Timestamps of rows have nanoseconds; CEL's own, from `timestamp("...")`, are taken for the same instants. */
function registerInstants(env: Environment): void {
  const ns = (value: Instant | Date): bigint =>
    value instanceof Date ? BigInt(value.getTime()) * 1_000_000n : value.ns;
  const compare = (a: Instant | Date, b: Instant | Date): number =>
    ns(a) < ns(b) ? -1 : ns(a) > ns(b) ? 1 : 0;
  const span = (value: Duration): bigint => value.seconds * 1_000_000_000n + BigInt(value.nanos);
  const days = (a: Instant | Date, b: Instant | Date): bigint => {
    const count = daysBetween(new Instant(ns(a)), new Instant(ns(b)));
    if (count === null) throw new Error("an infinite timestamp has no distance");
    return count;
  };
  for (const pair of [
    ["instant", "instant"],
    ["instant", TIMESTAMP],
    [TIMESTAMP, "instant"],
  ] as const) {
    registerOrder(env, pair, compare);
    env.registerOperator(`${pair[0]} - ${pair[1]}: ${DURATION}`, (a: Instant | Date, b: Instant | Date) =>
      durationOf(ns(a) - ns(b)),
    );
    env.registerFunction(`days(${pair[0]}, ${pair[1]}): int`, days);
  }
  env.registerOperator("instant == instant", (a: Instant, b: Instant) => a.ns === b.ns);
  env.registerOperator(`instant == ${TIMESTAMP}`, (a: Instant, b: Date) => compare(a, b) === 0);
  env.registerOperator(
    `instant + ${DURATION}: instant`,
    (a: Instant, b: Duration) => new Instant(a.ns + span(b)),
  );
  env.registerOperator(
    `instant - ${DURATION}: instant`,
    (a: Instant, b: Duration) => new Instant(a.ns - span(b)),
  );
  env.registerFunction(`days(${TIMESTAMP}, ${TIMESTAMP}): int`, days);
  env.registerFunction(
    `timestamp(instant): ${TIMESTAMP}`,
    (value: Instant) => new Date(Number(value.ns / 1_000_000n)),
  );
}

function durationOf(ns: bigint): Duration {
  const nanos = ((ns % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
  return new Duration((ns - nanos) / 1_000_000_000n, Number(nanos));
}
