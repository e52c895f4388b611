import type { Change, SourceRecord } from "../../cdc/change.ts";
import { sameOrigin } from "../../cdc/partition.ts";
import { connectorMs } from "../../cdc/reading/connector-time.ts";
import type { Clock } from "../../clock.ts";
import type { Update } from "../../customer/customer.ts";
import type { Metrics } from "../../metrics.ts";
import type { Save, Saved, Tally } from "../../store/store.ts";
import type { SourceBatch } from "../source.ts";

/** Counts what the pipeline does, a batch at a time. */
export interface Counted {
  received(batches: readonly SourceBatch[]): void;
  /** A save was carried out, but for these many customers. */
  saved(save: Save, outcome: Saved): void;
  published(updates: readonly Update[]): void;
  /** A turn has ended: how old is what it was about? */
  done(batches: readonly SourceBatch[], changes: readonly Change[]): void;
}

/** Counts into metrics. */
export function createCounted(metrics: Metrics, clock: Clock): Counted {
  const verdicts = createVerdicts(metrics);
  return {
    received: (batches) => {
      if (batches.length === 0) return;
      metrics.add("batches_total", batches.length);
      metrics.add(
        "records_total",
        sum(batches, ({ records }) => records.length),
      );
      metrics.add(
        "record_bytes_total",
        sum(batches, ({ bytes }) => bytes),
      );
    },
    saved: ({ customers, quarantine, tallies }, { conflicts, refused }) => {
      verdicts(tallies);
      const saved = customers.length - conflicts.size - (refused?.size ?? 0);
      if (saved > 0) metrics.add("saved_customers_total", saved);
      if (conflicts.size > 0) metrics.add("save_conflicts_total", conflicts.size);
      for (const { table, refusal } of quarantine)
        metrics.add("quarantined_total", 1, table ?? "", refusal.code);
    },
    published: (updates) => tellPublished({ metrics, clock }, updates),
    done: (batches, changes) => {
      const nowMs = clock.nowMs();
      const since = (clockName: string, ms: number | null | undefined) => {
        if (ms !== null && ms !== undefined) metrics.observe("lag_seconds", (nowMs - ms) / 1_000, clockName);
      };
      const first = longestWaiting(batches);
      if (first === null) return;
      since("broker", first.timestampMs);
      since("connector", connectorMs(first));
      since("source", changes.find(({ origin }) => sameOrigin(origin, first))?.sourceMs);
    },
  };
}

/** Observes how long ago the oldest of these updates was applied. */
export function tellPublished(
  { metrics, clock }: { readonly metrics: Metrics; readonly clock: Clock },
  updates: readonly Update[],
): void {
  if (updates.length === 0) return;
  const oldestMs = updates.reduce((least, { freshness }) => Math.min(least, freshness.appliedMs), Infinity);
  metrics.observe("lag_seconds", (clock.nowMs() - oldestMs) / 1_000, "applied");
}

/** Verdicts counted too early are taken back later; a counter cannot go down, so it waits until it is owed nothing. */
function createVerdicts(metrics: Metrics): (tallies: readonly Tally[]) => void {
  const debts = new Map<string, number>();
  return (tallies) => {
    for (const tally of tallies) {
      const name = `${tally.table} ${tally.kind} ${tally.label}`;
      const count = tally.count + (debts.get(name) ?? 0);
      if (count < 0) debts.set(name, count);
      else debts.delete(name);
      if (count > 0) addTally(metrics, { ...tally, count });
    }
  };
}

function addTally(metrics: Metrics, { table, kind, label, count }: Tally): void {
  if (kind === "verdict") metrics.add("verdicts_total", count, table, label);
  else if (kind === "skip") metrics.add("skipped_total", count, table, label);
  else if (kind === "rule") metrics.add("rules_total", count, table, label);
  else metrics.add("tie_conflicts_total", count, table);
}

function longestWaiting(batches: readonly SourceBatch[]): SourceRecord | null {
  let longest: SourceRecord | null = null;
  for (const { records } of batches) {
    const [first] = records;
    if (first !== undefined && first.timestampMs < (longest?.timestampMs ?? Infinity)) longest = first;
  }
  return longest;
}

function sum<T>(all: readonly T[], of: (one: T) => number): number {
  return all.reduce((total, one) => total + of(one), 0);
}
