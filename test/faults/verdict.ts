import type { Audit, AuditedCustomer } from "./audit.ts";
import { isWatched } from "./history.ts";
import type { SubscriberLog } from "./subscriber-log.ts";
import type { TrueCustomer, Truth } from "./truth.ts";

/** What the run came to; nothing may be in the lists. */
export interface Verdict {
  /** Changes, records and announcements that are nowhere. */
  readonly lost: readonly string[];
  /** Effects that happened twice, and updates told twice. */
  readonly doubled: readonly string[];
  readonly silentGaps: readonly string[];
  readonly backward: readonly string[];
  /** Whatever else differs from the model. */
  readonly wrong: readonly string[];
  readonly frames: number;
  readonly gaps: number;
  /** Records counted more than once because they were delivered again; no fault. */
  readonly toldAgain: number;
}

/** What is judged at the end. */
export interface Evidence {
  readonly truth: Truth;
  /** What the program shows, once for each API process. */
  readonly audits: readonly Audit[];
  readonly logs: readonly SubscriberLog[];
  /** How many records were made. */
  readonly made: number;
}

interface Findings {
  readonly lost: string[];
  readonly doubled: string[];
  readonly silentGaps: string[];
  readonly backward: string[];
  readonly wrong: string[];
}

/** Compares all that was seen with what must be. */
export function judge({ truth, audits, logs, made }: Evidence): Verdict {
  const findings: Findings = { lost: [], doubled: [], silentGaps: [], backward: [], wrong: [] };
  const { lost } = findings;
  if (truth.indexes < made) lost.push(`${made - truth.indexes} of the records made never got to Kafka`);
  const model = truth.customers();
  let toldAgain = 0;
  for (const each of audits) {
    compareCustomers(model, each.customers, findings);
    compareQuarantine(truth, each.quarantined, findings);
    for (const [table, count] of truth.records) {
      const counted = each.counted.get(table) ?? 0;
      if (counted < count) lost.push(`${count - counted} records of ${table} are in no counter`);
      toldAgain = Math.max(toldAgain, counted - count);
    }
  }
  const [final] = audits;
  for (const log of logs) judgeLog(log, final?.customers ?? new Map(), findings);
  const frames = logs.reduce((sum, log) => sum + log.frames, 0);
  const gaps = logs.reduce((sum, log) => sum + log.gaps, 0);
  return { ...findings, frames, gaps, toldAgain };
}

/** True when nothing is wrong. */
export function isSound({ lost, doubled, silentGaps, backward, wrong }: Verdict): boolean {
  return [lost, doubled, silentGaps, backward, wrong].every(({ length }) => length === 0);
}

const NOBODY: TrueCustomer = { score: null, payments: new Map() };

function compareCustomers(
  model: ReadonlyMap<string, TrueCustomer>,
  shown: ReadonlyMap<string, AuditedCustomer>,
  { lost, doubled, wrong }: Findings,
): void {
  for (const customerId of new Set([...model.keys(), ...shown.keys()])) {
    const must = model.get(customerId) ?? NOBODY;
    const is = shown.get(customerId);
    if (is === undefined) {
      lost.push(`${customerId}: not there`);
      continue;
    }
    if (is.score !== must.score) wrong.push(`${customerId}: score ${is.score}, must be ${must.score}`);
    for (const [id, cents] of must.payments) {
      const found = is.payments.get(id);
      if (found === undefined) lost.push(`${customerId}: payment ${id} is missing`);
      else if (found !== cents) wrong.push(`${customerId}: payment ${id} of ${found}, must be ${cents}`);
    }
    for (const id of is.payments.keys())
      if (!must.payments.has(id)) wrong.push(`${customerId}: payment ${id} must not be there`);
    const total = [...must.payments.values()].reduce((sum, cents) => sum + cents, 0);
    const spend = Math.round(Number(is.spend ?? 0) * 100);
    if (spend > total) doubled.push(`${customerId}: spend ${spend}, must be ${total}`);
    if (spend < total) lost.push(`${customerId}: spend ${spend}, must be ${total}`);
    if ((is.count ?? 0) !== must.payments.size)
      wrong.push(`${customerId}: ${is.count} payments counted, must be ${must.payments.size}`);
  }
}

function compareQuarantine(
  { poison, lostPoison }: Truth,
  quarantined: readonly string[],
  { lost, doubled, wrong }: Findings,
): void {
  // Where the broker lost poison another record came to lie, which may be poison as well.
  const certain = quarantined.filter((place) => !lostPoison.has(place));
  const found = new Set(quarantined);
  const twice = certain.length - new Set(certain).size;
  if (twice > 0) doubled.push(`${twice} records are in quarantine twice`);
  for (const place of poison) if (!found.has(place)) lost.push(`poison at ${place} is not in quarantine`);
  for (const place of certain) if (!poison.has(place)) wrong.push(`${place} is in quarantine for no reason`);
}

/** After everything came to rest a subscriber has to know the last state of whoever it was shown. */
function judgeLog(log: SubscriberLog, final: ReadonlyMap<string, AuditedCustomer>, findings: Findings): void {
  const { doubled, silentGaps, backward, wrong } = findings;
  for (const { wrong: kind, text } of log.breaches)
    ({ doubled, "silent gap": silentGaps, backward, "wrong state": wrong })[kind].push(text);
  for (const shown of log.all) {
    const is = final.get(shown.customerId);
    const isLast =
      is !== undefined &&
      shown.revision <= is.revision &&
      (shown.revision === is.revision || !isWatched(shown.customerId)) &&
      shown.score === is.score &&
      shown.spend === is.spend &&
      shown.payments === is.count;
    const last = `revision ${is?.revision}, score ${is?.score}, spend ${is?.spend}`;
    const said = `revision ${shown.revision}, score ${shown.score}, spend ${shown.spend}`;
    if (!isLast) silentGaps.push(`${log.name}: ${shown.customerId} ends at ${said}; it is ${last}`);
  }
  if (log.isWhole)
    for (const customerId of final.keys())
      if (log.shown(customerId) === undefined)
        silentGaps.push(`${log.name}: was never told of ${customerId}`);
}
