import type { Change, Value } from "../../src/cdc/change.ts";
import type { Plan, RowMetric, Scope } from "../../src/customer/plan.ts";

/**
 * What a customer must look like after a set of changes, said as slowly and plainly as possible: all changes are kept, and each
 * question is answered by looking at all of them. Shares no code with what it checks.
 */
export function model(customerId: string, changes: readonly Change[], plan: Plan): string {
  const rows = new Map<string, Map<string, ModelRow>>();
  for (const { name } of plan.tables) rows.set(name, liveRows(changes.filter(({ table }) => table === name)));
  const metrics: Record<string, Value> = {};
  const history: Record<string, Value> = {};
  const scope = {
    metrics,
    rows: {} as Record<string, Scope["rows"][string]>,
    segments: {} as Record<string, string>,
  };
  for (const { name, rows: many } of plan.tables) {
    if (many === "one")
      scope.rows[name] = [...(rows.get(name)?.values() ?? [])].sort(byAt).at(-1)?.values ?? null;
  }
  for (const metric of plan.metrics) {
    if (metric.kind === "expression") {
      metrics[metric.name] = metric.evaluate(scope);
    } else if (metric.over === "history") {
      const seen = versions(metric, changes);
      metrics[metric.name] = seen[0] ?? null;
      if (seen[0] !== undefined) history[metric.name] = seen[0];
    } else {
      metrics[metric.name] = compute(metric, rows.get(metric.table) ?? new Map());
    }
  }
  for (const { name, when, tiers, otherwise } of plan.segments) {
    const tier = tiers.find((candidate) => candidate.when.holds(scope))?.name ?? otherwise;
    scope.segments[name] = when === null ? String(tier) : when.holds(scope) ? "IN" : "OUT";
  }
  const crossings: Record<string, { below?: string; above?: string }> = {};
  const offers: string[] = [];
  for (const { name, trigger, eligibility } of plan.offers) {
    let earned = trigger.kind === "when" && trigger.condition.holds(scope);
    if (trigger.kind === "crosses") {
      const told = changes.filter(
        ({ table, op, partial, set }) =>
          table === trigger.table && op === "upsert" && (!partial || set.tickets !== undefined),
      );
      const below = told
        .filter(({ set }) => !trigger.condition(set))
        .map(({ position }) => position)
        .sort()[0];
      const above = told
        .filter(({ set }) => trigger.condition(set))
        .map(({ position }) => position)
        .sort()
        .at(-1);
      const crossing = {
        ...(above === undefined ? {} : { above }),
        ...(below === undefined ? {} : { below }),
      };
      if (told.length > 0) crossings[name] = crossing;
      earned = below !== undefined && above !== undefined && below < above;
    }
    if (earned && (eligibility === null || eligibility.holds(scope))) offers.push(name);
  }
  const tables = Object.fromEntries(
    [...rows].filter(([, live]) => live.size > 0).map(([name, live]) => [name, plain(live)]),
  );
  return sorted({
    customerId,
    tables,
    history,
    crossings,
    metrics,
    segments: scope.segments,
    offers: offers.sort(),
  });
}

interface ModelRow {
  readonly key: string;
  readonly at: string;
  readonly heads: Record<string, string>;
  readonly values: Record<string, Value>;
}

/** The live rows of one table: for every column, who spoke last for it? */
function liveRows(changes: readonly Change[]): Map<string, ModelRow> {
  const truncate =
    changes
      .filter(({ op }) => op === "truncate")
      .map(({ position }) => position)
      .sort()
      .at(-1) ?? "";
  const rows = new Map<string, ModelRow>();
  for (const key of new Set(changes.filter(({ op }) => op !== "truncate").map((change) => change.key))) {
    const all = changes.filter(
      (change) => change.key === key && change.op !== "truncate" && change.position >= truncate,
    );
    const last = speaksLast(all);
    if (last === undefined || last.op === "delete") continue;
    const heads: Record<string, string> = {};
    const values: Record<string, Value> = {};
    for (const column of new Set(all.flatMap(({ set }) => Object.keys(set)))) {
      const speaker = speaksLast(
        all.filter(({ op, partial, set }) => op === "delete" || !partial || column in set),
      );
      const value = speaker?.set[column];
      if (speaker === undefined || value === undefined) continue;
      values[column] = value;
      if (speaker.position < last.position) heads[column] = speaker.position;
    }
    rows.set(key, { key, at: last.position, heads, values });
  }
  return rows;
}

/** The newest change; among several contents at its position the tie rule. */
function speaksLast(changes: readonly Change[]): Change | undefined {
  const newest = changes
    .map(({ position }) => position)
    .sort()
    .at(-1);
  const rivals = changes.filter(({ position }) => position === newest);
  const partitions = new Map<string, Map<string, Change>>();
  for (const rival of rivals) {
    const partition = `${rival.origin.topic}/${rival.origin.partition}`;
    const contents = partitions.get(partition) ?? new Map<string, Change>();
    partitions.set(partition, contents);
    const first = contents.get(text(rival));
    if (first === undefined || offset(rival) < offset(first)) contents.set(text(rival), rival);
  }
  const finalists = [...partitions.values()].map((contents) =>
    [...contents.values()].reduce((a, b) => (offset(a) > offset(b) ? a : b)),
  );
  return finalists.sort((a, b) => (text(a) < text(b) ? -1 : text(a) > text(b) ? 1 : 0)).at(-1);
}

function offset({ origin }: Change): bigint {
  return BigInt(origin.offset);
}

function text({ op, partial, set }: Change): string {
  if (op === "delete") return "";
  return JSON.stringify([!partial, ...Object.entries(set).sort(([a], [b]) => (a < b ? -1 : 1))]);
}

/** The least or greatest value of all versions, first in the list. */
function versions({ table, column, function: kind }: RowMetric, changes: readonly Change[]): Value[] {
  const seen = changes
    .filter((change) => change.table === table && change.op === "upsert")
    .map(({ set }) => set[column ?? ""] ?? null)
    .filter((value) => value !== null)
    .sort();
  return kind === "min" ? seen : seen.reverse();
}

function byAt(a: ModelRow, b: ModelRow): number {
  return a.at < b.at ? -1 : a.at > b.at ? 1 : a.key < b.key ? -1 : 1;
}

function compute(metric: RowMetric, rows: ReadonlyMap<string, ModelRow>): Value {
  const { function: kind, column, filter, type, scale } = metric;
  const counted = [...rows.values()].filter(({ values }) => filter === null || filter(values)).sort(byAt);
  if (kind === "count") return counted.length;
  const values = counted.map((row) => row.values[column ?? ""] ?? null);
  if (kind === "latest") return values.at(-1) ?? null;
  const present = values.filter((value) => value !== null);
  if (kind === "distinct") return new Set(present).size;
  const units = present
    .map((value) => BigInt(String(value).replace(".", "")))
    .sort((a, b) => (a < b ? -1 : 1));
  const sum = units.reduce((total, value) => total + value, 0n);
  const money = (amount: bigint): Value => (type === "decimal" ? withPoint(amount, scale) : Number(amount));
  if (kind === "sum") return money(sum);
  const [least] = units;
  if (least === undefined) return null;
  if (kind === "min") return money(least);
  if (kind === "max") return money(units.at(-1) ?? least);
  return money(nearest(sum, BigInt(units.length)));
}

/** The integer nearest to a quotient, the one farther from zero of two equally near. */
function nearest(sum: bigint, count: bigint): bigint {
  const size = sum < 0n ? -sum : sum;
  const rounded = size / count + ((size % count) * 2n >= count ? 1n : 0n);
  return sum < 0n ? -rounded : rounded;
}

function withPoint(units: bigint, scale: number): string {
  const digits = String(units < 0n ? -units : units).padStart(scale + 1, "0");
  return `${units < 0n ? "-" : ""}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

function plain(rows: ReadonlyMap<string, ModelRow>): Record<string, object> {
  return Object.fromEntries([...rows].map(([key, { at, heads, values }]) => [key, { at, heads, values }]));
}

function sorted(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(sorted).join(",")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const names = Object.keys(value).sort();
  const parts = names.map(
    (name) => `${JSON.stringify(name)}:${sorted((value as Record<string, unknown>)[name])}`,
  );
  return `{${parts.join(",")}}`;
}
