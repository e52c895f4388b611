import type { Change, Values } from "../cdc/change.ts";
import type { RowCondition } from "../cdc/table.ts";
import type { Crossing, Customer } from "./customer.ts";
import { contribution, exchange, NO_TOTAL, valueOf } from "./derived/totals.ts";
import type { TableLookup } from "./lookup.ts";
import type { RowMetric } from "./plan.ts";

/** What a customer keeps of all versions of its rows, superseded, late and blocked ones included. */
export type Memory = Pick<Customer, "history" | "crossings">;

/**
 * Adds one version of a row to what is remembered. The very same object when it says nothing new: least and greatest values
 * and positions do not mind order or repetition.
 */
export function remember(memory: Memory, change: Change, { history, crossings }: TableLookup): Memory {
  if (change.op !== "upsert" || (history.length === 0 && crossings.length === 0)) return memory;
  let next = memory;
  for (const metric of history) {
    const known = next.history[metric.name];
    const value = extremeWith(metric, known, change);
    if (value !== known && value !== undefined) {
      next = { ...next, history: { ...next.history, [metric.name]: value } };
    }
  }
  for (const { offer, condition } of crossings) {
    const known = next.crossings[offer];
    const crossing = crossingWith(known, condition, change);
    if (crossing !== known && crossing !== undefined) {
      next = { ...next, crossings: { ...next.crossings, [offer]: crossing } };
    }
  }
  return next;
}

/** True when a row of the table crossed the condition: it was false at some position and true at a later one. */
export function hasCrossed(crossing: Crossing | undefined): boolean {
  return crossing?.below !== undefined && crossing.above !== undefined && crossing.below < crossing.above;
}

type Known = Memory["history"][string] | undefined;

function extremeWith(metric: RowMetric, known: Known, { key, position: at, set, origin }: Change): Known {
  const version = contribution(metric, key, { at, live: true, values: set, origin });
  if (version === undefined) return known;
  const before = known === undefined ? NO_TOTAL : { count: 1, [metric.function]: known };
  const total = exchange(metric, before, { out: undefined, in: version });
  return total === null ? known : valueOf(metric, total);
}

function crossingWith(
  known: Crossing | undefined,
  condition: RowCondition,
  change: Change,
): Crossing | undefined {
  const holds = change.partial ? decided(condition, change.set) : condition(change.set);
  if (holds === null) return known;
  const { position } = change;
  if (holds) {
    return known?.above !== undefined && known.above >= position ? known : { ...known, above: position };
  }
  return known?.below !== undefined && known.below <= position ? known : { ...known, below: position };
}

/** What a condition says of a version that lacks columns; null when it looked at one of those, or at all columns at once. */
function decided(condition: RowCondition, set: Values): boolean | null {
  let unknown = false;
  const watched = new Proxy(set, {
    get: (target, column) => {
      if (typeof column === "string" && target[column] === undefined) unknown = true;
      return Reflect.get(target, column);
    },
    has: (target, column) => {
      if (!Reflect.has(target, column)) unknown = true;
      return Reflect.has(target, column);
    },
    ownKeys: (target) => {
      unknown = true;
      return Reflect.ownKeys(target);
    },
  });
  const holds = condition(watched);
  return unknown ? null : holds;
}
