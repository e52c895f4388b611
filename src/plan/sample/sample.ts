import type { SourceRecord } from "../../cdc/change.ts";
import { rowSchema } from "../../cdc/columns/connect-schema.ts";
import { createDecoder } from "../../cdc/decode.ts";
import { isObject, member, parseLossless } from "../../cdc/reading/json.ts";
import type { Json } from "../../cdc/reading/json.ts";
import type { TablePlan } from "../../cdc/table.ts";
import { ownerOfTopics } from "../../cdc/topics.ts";
import type { Plan } from "../../customer/plan.ts";
import { columnWarnings } from "./sample-columns.ts";
import { orderWarnings } from "./sample-order.ts";
import { ruleWarnings } from "./sample-rules.ts";
import type { Seen, Warning } from "./seen.ts";

/**
 * Looks for what usually is wrong with a pipeline: clocks that stand still or run ahead, dates compared as text, units that
 * cannot be, keys that never come back, columns nobody declared. `nowMs` is what values are not to be ahead of; by default
 * each record's own time.
 */
export function inspectSample(plan: Plan, records: Iterable<SourceRecord>, nowMs?: number): Warning[] {
  const decode = createDecoder(plan.tables);
  const tableOf = ownerOfTopics(plan.tables);
  const seen = new Map<TablePlan, Seen>();
  const unread = new Map<string, number>();
  for (const record of records) {
    const table = tableOf(record.topic);
    const decoded = decode(record);
    if (table === undefined) {
      const unmapped = decoded.kind === "skip" && decoded.skip === "unmapped-topic";
      if (unmapped) unread.set(record.topic, (unread.get(record.topic) ?? 0) + 1);
      continue;
    }
    const found = seen.get(table) ?? nothingSeen(table);
    seen.set(table, found);
    note(found, record);
    if (decoded.kind === "change")
      found.changes.push({ change: decoded.change, nowMs: nowMs ?? record.timestampMs });
    if (decoded.kind === "refused") noteRefusal(found, decoded.refusal);
  }
  const topics = [...unread].map(([topic, count]) => unreadTopic(topic, count));
  return [
    ...topics,
    ...[...seen.values()].flatMap((one) => [
      ...refusals(one),
      ...ruleWarnings(one),
      ...orderWarnings(one),
      ...columnWarnings(one),
    ]),
  ];
}

function nothingSeen(table: TablePlan): Seen {
  return { table, changes: [], recordKeys: [], columns: new Set(), schemas: new Map(), refused: new Map() };
}

function note(found: Seen, record: SourceRecord): void {
  if (record.key !== null) found.recordKeys.push(new TextDecoder().decode(record.key));
  const json = record.value === null ? undefined : parse(record.value);
  const payload = member(json, "payload") ?? json;
  const row =
    found.table.format === "flat" ? payload : (member(payload, "after") ?? member(payload, "before"));
  if (isObject(row)) for (const name of Object.keys(row)) found.columns.add(name);
  for (const [name, schema] of rowSchema(member(json, "schema")) ?? [])
    found.schemas.set(name, schema.name ?? schema.type);
}

function parse(bytes: Uint8Array): Json | undefined {
  return parseLossless(new TextDecoder().decode(bytes));
}

function noteRefusal(
  found: Seen,
  { code, reason }: { readonly code: string; readonly reason: string },
): void {
  const known = found.refused.get(code) ?? { count: 0, reason };
  found.refused.set(code, { ...known, count: known.count + 1 });
}

function refusals({ table, refused }: Seen): Warning[] {
  return [...refused].map(([code, { count, reason }]) => ({
    code: "refused",
    table: table.name,
    column: null,
    text: `${count} record${count === 1 ? "" : "s"} would go to quarantine (${code}). The first one ${reason}`,
  }));
}

function unreadTopic(topic: string, count: number): Warning {
  const text = `no table reads topic "${topic}" (${count} record${count === 1 ? "" : "s"})`;
  return { code: "unread-topic", table: null, column: null, text };
}
