/** Where a replay begins or ends: an offset, of one partition or of each, or a time. */
export type Bound =
  | { readonly kind: "offset"; readonly partition: number | null; readonly offset: bigint }
  | { readonly kind: "time"; readonly ms: number };

/** What of a partition is read: from an offset up to, and not including, another. */
export interface Range {
  readonly topic: string;
  readonly partition: number;
  readonly from: bigint;
  readonly to: bigint;
}

/** From where to where, as asked for. Several of one side are offsets of several partitions. */
export interface Bounds {
  readonly from: readonly Bound[];
  readonly to: readonly Bound[];
}

const TIME = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2}))?$/;

/** Reads `1200`, `3:1200`, `2026-01-31` or `2026-01-31T10:00:00Z`; null for anything else. A day begins at midnight UTC. */
export function readBound(text: string): Bound | null {
  const [, partition, offset] = /^(?:(\d{1,9}):)?(\d{1,19})$/.exec(text) ?? [];
  if (offset !== undefined)
    return {
      kind: "offset",
      partition: partition === undefined ? null : Number(partition),
      offset: BigInt(offset),
    };
  const ms = TIME.test(text) && isDay(text.slice(0, 10)) ? Date.parse(text) : NaN;
  return Number.isNaN(ms) ? null : { kind: "time", ms };
}

/** Whether there is such a day: the 30th of February would be read as one of March. */
function isDay(text: string): boolean {
  const ms = Date.parse(text);
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(text);
}

/** The time among bounds; null without one. */
export function timeOf(bounds: readonly Bound[]): number | null {
  const found = bounds.find((bound) => bound.kind === "time");
  return found?.kind === "time" ? found.ms : null;
}

/** The offset that bounds say for a partition; null when they say none. */
export function offsetOf(bounds: readonly Bound[], partition: number): bigint | null {
  const offsets = bounds.filter((bound) => bound.kind === "offset");
  const own = offsets.find((bound) => bound.partition === partition);
  return (own ?? offsets.find((bound) => bound.partition === null))?.offset ?? null;
}

/** The partitions that bounds name; null when they name none, which means all. */
export function partitionsOf({ from, to }: Bounds): ReadonlySet<number> | null {
  const named = [...from, ...to].flatMap((bound) =>
    bound.kind === "offset" && bound.partition !== null ? [bound.partition] : [],
  );
  return named.length === 0 ? null : new Set(named);
}

/** What is wrong with bounds whatever they are held against, in words; null for nothing. */
export function faultOf({ from, to }: Bounds): string | null {
  for (const [option, bounds] of [
    ["--from", from],
    ["--to", to],
  ] as const) {
    const names = bounds.map((bound) => (bound.kind === "offset" ? bound.partition : null));
    if (bounds.length > 1 && timeOf(bounds) !== null) return `${option} is a time and something else`;
    if (new Set(names).size < names.length) return `${option} says two things of the same partition`;
  }
  const [begin, end] = [timeOf(from), timeOf(to)];
  return begin !== null && end !== null && begin >= end ? "--from is not before --to" : null;
}
