import type { Change, Op, Origin, Position, Values } from "./change.ts";

/**
 * A change as an object of a class. A literal would do, but objects of a literal that mostly outlive a collection are made in the
 * old generation from then on: there the changes of a batch that only repeats would keep their values, which nobody wants, through
 * every young collection: an eighth of the instructions that a repeat takes.
 */
export class MadeChange implements Change {
  readonly table: string;
  readonly op: Op;
  readonly key: string;
  readonly customerId: string | null;
  readonly page: string | null;
  readonly position: Position;
  readonly set: Values;
  readonly partial: boolean;
  readonly origin: Origin;
  readonly sourceMs: number | null;
  readonly ingestedMs: number;

  constructor(change: Change) {
    this.table = change.table;
    this.op = change.op;
    this.key = change.key;
    this.customerId = change.customerId;
    this.page = change.page;
    this.position = change.position;
    this.set = change.set;
    this.partial = change.partial;
    this.origin = change.origin;
    this.sourceMs = change.sourceMs;
    this.ingestedMs = change.ingestedMs;
  }
}

/** A list of changes that begins with one: a copy and no literal, for the same reason. */
export function listOf<T>(first: T): T[] {
  const list: T[] = SEED.slice();
  list[0] = first;
  return list;
}

const SEED: readonly never[] = [undefined as never];
