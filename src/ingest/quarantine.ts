import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import type { Change, Refusal, RefusalCode, SourceRecord } from "../cdc/change.ts";
import type { Quarantined } from "../store/store.ts";
import type { Poison } from "./apply.ts";
import type { Unroutable } from "./route.ts";
import type { SourceBatch, Unreadable } from "./source.ts";

/** A refusal that no rule asked for. */
export function refusal(code: RefusalCode, reason: string): Refusal {
  return { code, reason, rules: [] };
}

/** Changes that lead to nobody. */
export function quarantineUnroutable(
  { clock }: { readonly clock: Clock },
  refused: readonly Unroutable[],
  batches: readonly SourceBatch[],
): readonly Quarantined[] {
  return refused.map(({ change, refusal: why }) => ({
    record: recordOf(change, batches),
    table: change.table,
    refusal: why,
    atMs: clock.nowMs(),
  }));
}

/** Changes on which the core itself fails. They are replayed when the fault is repaired; the reason names it. */
export function quarantinePoison(
  { clock, log }: { readonly clock: Clock; readonly log: Log },
  poison: readonly Poison[],
  batches: readonly SourceBatch[],
): readonly Quarantined[] {
  return poison.map(({ change, reason }) => {
    log.error("a change could not be applied", { ...change.origin, table: change.table });
    const record = recordOf(change, batches);
    return { record, table: change.table, refusal: refusal("fault", reason), atMs: clock.nowMs() };
  });
}

/** The record a change was decoded from, found again by its coordinates; only refusals pay for the search. */
function recordOf(change: Change, batches: readonly SourceBatch[]): SourceRecord {
  const { topic, partition, offset } = change.origin;
  for (const { records } of batches)
    for (const record of records)
      if (record.offset === offset && record.partition === partition && record.topic === topic) return record;
  throw new Error(`no record at ${topic}/${partition}/${offset}`);
}

/** What the source could not read, in the form of a refused record. */
export function quarantineUnreadable({ origin, reason, bytes }: Unreadable, atMs: number): Quarantined {
  const record: SourceRecord = { ...origin, timestampMs: atMs, key: null, value: bytes, headers: {} };
  return { record, table: null, refusal: refusal("unreadable", reason), atMs };
}
