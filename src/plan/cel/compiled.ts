import type { CelFault, Node } from "./cel.ts";
import { kindName } from "./kinds.ts";
import type { Field, Kind, Roots } from "./kinds.ts";
import type { Val } from "./operators.ts";

/** A compiled node: what it yields, and how. Pure; answers undefined where CEL raises an error. */
export interface Compiled<C> {
  readonly kind: Kind;
  readonly run: (context: C) => Val;
  /** The value, of a literal or a setting. */
  readonly constant?: Val;
  /** The declared field, of a plain reference. */
  readonly field?: Field;
}

/** How a compiled node yields its value. */
export type Run<C> = (context: C) => Val;

/** Reads one declared field from whatever conditions of this sort run over. */
export type Reader<C> = (root: string, name: string) => (context: C) => Val;

/** What compiling one expression needs and what it finds out. */
export interface Work<C> {
  readonly roots: Roots;
  readonly reader: Reader<C>;
  /** Every field it reads, in order of appearance. */
  readonly reads: { readonly root: string; readonly name: string; readonly field: Field }[];
  readonly faults: CelFault[];
  /** Set when a part is beyond the closures, so that the whole is left to CEL itself. */
  beyond: boolean;
}

/** Nothing usable; for a node with a fault, or one that is left to CEL. */
export function nothing<C>(kind: Kind = "any"): Compiled<C> {
  return { kind, run: () => undefined };
}

/** Reports a fault at a node and yields nothing. */
export function fault<C>(node: Node, work: Work<C>, text: string): Compiled<C> {
  work.faults.push({ text, offset: node.start });
  return nothing();
}

/** A value that never changes. */
export function fixed<C>(kind: Kind, value: Val): Compiled<C> {
  return { kind, run: () => value, constant: value };
}

/** Leaves the whole expression to CEL itself. */
export function leftToCel<C>(work: Work<C>): Compiled<C> {
  work.beyond = true;
  return nothing();
}

/** A part that has to be true or false, else a fault. */
export function truth<C>(node: Node, compiled: Compiled<C>, work: Work<C>): Compiled<C> {
  if (compiled.kind === "bool" || compiled.kind === "any") return compiled;
  return fault(node, work, `this is ${kindName(compiled.kind)} where true or false is needed`);
}
