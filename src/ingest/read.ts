import type { Change, SourceRecord } from "../cdc/change.ts";
import { check, type Checked } from "../cdc/check.ts";
import type { Decoded } from "../cdc/decode.ts";
import { Customer360Error, unreachable } from "../errors.ts";
import type { Quarantined } from "../store/store.ts";
import { quarantineUnreadable, refusal } from "./quarantine.ts";
import type { Shell } from "./shell.ts";
import type { SourceBatch } from "./source.ts";
import { othersTurn } from "./waiting/others-turn.ts";

/** The changes of a batch, and what is none. */
export interface Reading {
  /** Changes of rows, in arrival order. */
  readonly changes: Change[];
  readonly truncates: Change[];
  readonly quarantine: Quarantined[];
}

/** Records read without a look at anything else. */
const STRETCH = 2_000;

/** Decodes and checks every record. A rule with action `fail` ends it with EXPECTATION_FAILED. */
export async function read(shell: Shell, batches: readonly SourceBatch[]): Promise<Reading> {
  const atMs = shell.clock.nowMs();
  const reading: Reading = { changes: [], truncates: [], quarantine: [] };
  for (const found of shell.source.unreadable()) reading.quarantine.push(quarantineUnreadable(found, atMs));
  let left = STRETCH;
  for (const { records } of batches)
    for (const record of records) {
      readRecord(shell, reading, { record, atMs });
      left -= 1;
      if (left > 0) continue;
      await othersTurn();
      left = STRETCH;
    }
  return reading;
}

interface Arrival {
  readonly record: SourceRecord;
  readonly atMs: number;
}

function readRecord(shell: Shell, reading: Reading, { record, atMs }: Arrival): void {
  const decoded = decode(shell, record);
  switch (decoded.kind) {
    case "skip":
      shell.tallies.add({
        table: shell.tableOf(record.topic)?.name ?? record.topic,
        kind: "skip",
        label: decoded.skip,
      });
      return;
    case "refused":
      reading.quarantine.push({ record, table: decoded.table, refusal: decoded.refusal, atMs });
      return;
    case "change":
      if (decoded.change.op === "truncate") reading.truncates.push(decoded.change);
      else if (decoded.change.op === "delete") reading.changes.push(decoded.change);
      else checkUpsert(shell, reading, { record, atMs, decoded });
      return;
    default:
      unreachable(decoded);
  }
}

/** A record on which the decoder itself fails must not stop all others. */
function decode(shell: Shell, record: SourceRecord): Decoded {
  try {
    return shell.decode(record);
  } catch (error) {
    shell.log.error("a record could not be decoded", {
      topic: record.topic,
      partition: record.partition,
      offset: record.offset,
    });
    return {
      kind: "refused",
      table: null,
      refusal: refusal("unreadable", `decoding failed: ${String(error)}`),
    };
  }
}

function checkUpsert(
  shell: Shell,
  reading: Reading,
  { record, atMs, decoded }: Arrival & { readonly decoded: Extract<Decoded, { kind: "change" }> },
): void {
  const { change, table } = decoded;
  if (table.expectations.length === 0) {
    reading.changes.push(change);
    return;
  }
  const checked = check(change, table);
  countRules(shell, table.name, "warn", checked.warned);
  switch (checked.kind) {
    case "kept":
      reading.changes.push(change);
      return;
    case "dropped":
      countRules(shell, table.name, "drop", checked.rules);
      return;
    case "refused":
      countRules(shell, table.name, "quarantine", refusing(checked));
      reading.quarantine.push({ record, table: table.name, refusal: checked.refusal, atMs });
      return;
    case "failed":
      countRules(shell, table.name, "fail", checked.rules);
      throw new Customer360Error(
        "EXPECTATION_FAILED",
        `table ${table.name}: ${checked.rules.join(", ")} violated by the record at ` +
          `${record.topic}/${record.partition}/${record.offset}; nothing of its batch was applied`,
      );
    default:
      unreachable(checked);
  }
}

/** A refusal names every violated rule; those that only warn are counted as such. */
function refusing({ refusal: { rules }, warned }: Extract<Checked, { kind: "refused" }>): readonly string[] {
  return rules.filter((rule) => !warned.includes(rule));
}

function countRules(shell: Shell, table: string, action: string, rules: readonly string[]): void {
  for (const rule of rules) shell.tallies.add({ table, kind: "rule", label: `${action}:${rule}` });
}
