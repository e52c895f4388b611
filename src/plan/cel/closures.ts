import { suggestion } from "../faults.ts";
import { functionCall, isKnownFunction } from "./calls.ts";
import type { Node } from "./cel.ts";
import { amongChoices, amongList, comparison } from "./comparisons.ts";
import type { Operands } from "./comparisons.ts";
import { fault, fixed, leftToCel, nothing, truth } from "./compiled.ts";
import type { Compiled, Work } from "./compiled.ts";
import { kindName } from "./kinds.ts";
import type { Field, Kind } from "./kinds.ts";
import { arithmetic, meet } from "./operators.ts";
import type { Val } from "./operators.ts";
import { patternFault } from "./patterns.ts";

/** What to do about a setting that is not there: somebody has to decide it. */
const SETTINGS =
  "; a value that has to be decided is declared under `settings:` with its type, value and description";

/** Compiles a syntax tree to closures. When `work.faults` or `work.beyond` say so afterwards, the result is of no use. */
export function compile<C>(node: Node, work: Work<C>): Compiled<C> {
  switch (node.op) {
    case "value":
      return literal(node.args, work);
    case "id":
      return identifier(node, node.args, work);
    case ".":
      return access(node, node.args, work);
    case "&&":
    case "||":
      return logic(node.op, node.args, work);
    case "!_":
      return negation(node.args, work);
    case "-_":
      return minus(node.args, work);
    case "?:":
      return ternary(node, node.args, work);
    case "in":
      return membership(node, node.args, work);
    case "==":
    case "!=":
    case "<":
    case "<=":
    case ">":
    case ">=":
      return comparison(node, operands(node.args, work), work);
    case "+":
    case "-":
    case "*":
    case "/":
    case "%":
      return computation(node, node.args, work);
    case "call":
      return call(node, node.args[0], node.args[1], work);
    case "rcall":
      return call(node, `.${node.args[0]}`, [node.args[1], ...node.args[2]], work);
    default:
      return beyond(node, work);
  }
}

/** Leaves the expression to CEL, but still checks and notes the fields named below this node. */
function beyond<C>(node: Node, work: Work<C>): Compiled<C> {
  visitReferences(node.args, work);
  return leftToCel(work);
}

/** A function of `calls.ts`, by name (methods with a leading dot); every other one is left to CEL. */
function call<C>(node: Node, name: string, args: readonly Node[], work: Work<C>): Compiled<C> {
  if (name === "has") {
    return fault(
      node,
      work,
      'every declared name exists: compare it with null instead, as in "row.x != null"',
    );
  }
  if (!isKnownFunction(name, args.length)) return beyond(node, work);
  if (name === ".matches") checkPattern(args.at(-1), work);
  return functionCall(node, { name, args: args.map((arg) => compile(arg, work)) }, work);
}

/**
 * What `matches` looks for has to be written out or to be a setting: a pattern that comes with the data is as large as its
 * sender likes, and is found to be none when it is too late to say so.
 */
function checkPattern<C>(node: Node | undefined, work: Work<C>): void {
  if (node === undefined) return;
  const given = node.op === "value" || node.op === "." ? compile(node, work) : nothing("string");
  if (given.constant === undefined && given.kind !== "any") {
    fault(node, work, "the pattern of matches() is written out, or is a setting");
  }
  if (typeof given.constant !== "string") return;
  const text = patternFault(given.constant);
  if (text !== null) fault(node, work, text);
}

function visitReferences<C>(part: unknown, work: Work<C>): void {
  if (Array.isArray(part)) for (const one of part) visitReferences(one, work);
  else if (isNode(part)) {
    const receiver = part.op === "." ? part.args[0] : part;
    if (part.op === "rcall" && part.args[0] === "matches") checkPattern(part.args[2][0], work);
    if (receiver.op === "id" && work.roots.has(receiver.args)) compile(part, work);
    else visitReferences(part.args, work);
  }
}

function isNode(part: unknown): part is Node {
  return typeof part === "object" && part !== null && "op" in part && "args" in part;
}

function literal<C>(value: unknown, work: Work<C>): Compiled<C> {
  if (value === null) return fixed("null", null);
  if (typeof value === "bigint") {
    const number = Number(value);
    return fixed("int", Number.isSafeInteger(number) ? number : value);
  }
  if (typeof value === "number") return fixed("double", value);
  if (typeof value === "string") return fixed("string", value);
  if (typeof value === "boolean") return fixed("bool", value);
  return leftToCel(work);
}

function identifier<C>(node: Node, name: string, work: Work<C>): Compiled<C> {
  const fields = work.roots.get(name);
  if (fields !== undefined) {
    const [example = "name"] = fields.keys();
    return fault(
      node,
      work,
      `"${name}" is not a value by itself: name a part of it, such as ${name}.${example}`,
    );
  }
  for (const [root, members] of work.roots) {
    if (members.has(name))
      return fault(node, work, `unknown name "${name}": did you mean "${root}.${name}"?`);
  }
  if (name === "settings") return fault(node, work, `no settings are declared${SETTINGS}`);
  return fault(node, work, `unknown name "${name}"${suggestion(name, work.roots.keys())}`);
}

function access<C>(node: Node, [receiver, name]: readonly [Node, string], work: Work<C>): Compiled<C> {
  if (receiver.op !== "id") return beyond(node, work);
  const root = receiver.args;
  const fields = work.roots.get(root);
  if (fields === undefined) return identifier(receiver, root, work);
  const field = fields.get(name);
  if (field === undefined) {
    const remedy = root === "settings" ? SETTINGS : "";
    const text = `unknown name "${root}.${name}"${suggestion(name, fields.keys())}${remedy}`;
    work.faults.push({ text, offset: node.end - name.length });
    return nothing();
  }
  if (field.constant !== undefined) return constantField(field);
  work.reads.push({ root, name, field });
  return { kind: field.kind, run: converted(work.reader(root, name), field), field };
}

function constantField<C>(field: Field): Compiled<C> {
  const value = field.constant ?? null;
  return {
    ...fixed<C>(field.kind, field.wide && value !== null ? BigInt(String(value)) : value),
    field,
  };
}

/** Only two stored forms differ from what the operators take: 64-bit integers are text, and so are floats that are no numbers. */
function converted<C>(read: (context: C) => Val, field: Field): (context: C) => Val {
  if (field.wide && field.kind === "int") {
    return (context) => {
      const value = read(context);
      return typeof value === "string" ? BigInt(value) : value;
    };
  }
  if (field.kind !== "double") return read;
  return (context) => {
    const value = read(context);
    return typeof value === "string" ? Number(value) : value;
  };
}

/** CEL's logic: one deciding side decides, even when the other is an error. */
function logic<C>(op: "&&" | "||", [left, right]: readonly [Node, Node], work: Work<C>): Compiled<C> {
  const a = truth(left, compile(left, work), work);
  const b = truth(right, compile(right, work), work);
  const deciding = op === "||";
  const run = (context: C): Val => {
    const x = a.run(context);
    if (x === deciding) return deciding;
    const y = b.run(context);
    if (y === deciding) return deciding;
    return x === !deciding && y === !deciding ? !deciding : undefined;
  };
  return { kind: "bool", run };
}

function negation<C>(operand: Node, work: Work<C>): Compiled<C> {
  const { run } = truth(operand, compile(operand, work), work);
  return {
    kind: "bool",
    run: (context) => {
      const value = run(context);
      return typeof value === "boolean" ? !value : undefined;
    },
  };
}

function minus<C>(operand: Node, work: Work<C>): Compiled<C> {
  const compiled = compile(operand, work);
  const subtract = arithmetic("-", compiled.kind);
  if (compiled.kind === "any") return compiled;
  if (subtract === null) return fault(operand, work, `${kindName(compiled.kind)} has no negative`);
  if (compiled.constant !== undefined && compiled.constant !== null) {
    return fixed(compiled.kind, negative(compiled.constant, compiled.kind));
  }
  return { kind: compiled.kind, run: (context) => negative(compiled.run(context), compiled.kind) };
}

function negative(value: Val, kind: Kind): Val {
  if (value === null || value === undefined) return undefined;
  if (kind === "double") return -Number(value);
  return arithmetic("-", kind)?.(0, value);
}

function ternary<C>(node: Node, [test, yes, no]: readonly [Node, Node, Node], work: Work<C>): Compiled<C> {
  const condition = truth(test, compile(test, work), work);
  const [a, b] = [compile(yes, work), compile(no, work)];
  const kind = meet(a.kind, b.kind);
  if (kind === null) {
    return fault(node, work, `the two outcomes differ: ${kindName(a.kind)} and ${kindName(b.kind)}`);
  }
  const run = (context: C): Val => {
    const decided = condition.run(context);
    return decided === true ? a.run(context) : decided === false ? b.run(context) : undefined;
  };
  return { kind, run };
}

function operands<C>([left, right]: readonly [Node, Node], work: Work<C>): Operands<C> {
  return { left, right, a: compile(left, work), b: compile(right, work) };
}

function membership<C>(node: Node, [left, right]: readonly [Node, Node], work: Work<C>): Compiled<C> {
  const wanted = compile(left, work);
  if (right.op !== "list") return amongList(node, wanted, compile(right, work), work);
  const choices = right.args.map((choice) => ({ node: choice, compiled: compile(choice, work) }));
  return amongChoices(wanted, choices, work);
}

function computation<C>(node: Node, [left, right]: readonly [Node, Node], work: Work<C>): Compiled<C> {
  const [a, b] = [compile(left, work), compile(right, work)];
  const kind = meet(a.kind, b.kind);
  if (a.kind === "any" || b.kind === "any") return nothing();
  if (a.kind === "instant" || typeof a.kind === "object") return beyond(node, work);
  const compute =
    kind === null || a.kind === "null" || b.kind === "null" ? null : arithmetic(node.op as "+", kind);
  if (compute === null || kind === null) {
    return fault(node, work, `${kindName(a.kind)} ${node.op} ${kindName(b.kind)} has no meaning`);
  }
  const run = (context: C): Val => {
    const x = a.run(context);
    const y = b.run(context);
    return x === undefined || y === undefined || x === null || y === null ? undefined : compute(x, y);
  };
  return { kind, run };
}
