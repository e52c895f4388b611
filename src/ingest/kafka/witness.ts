import { createHash } from "node:crypto";
import type { SourceRecord } from "../../cdc/change.ts";
import type { Fetched } from "./group.ts";
import type { Committed, Marks, Start } from "./position.ts";

/** The record that is to lie right before a place, for that to be the place it was. */
export interface Proof {
  readonly offset: bigint;
  readonly witness: string;
  /** Where the partition begins. */
  readonly low: bigint;
}

/** Tells a record from any other that could come to lie at its offset: a broker that lost the end of a partition gives its offsets out anew. */
export function witnessOf({ timestampMs, key, value }: SourceRecord): string {
  const hash = createHash("sha256").update(`${timestampMs} ${key?.length ?? -1} ${value?.length ?? -1} `);
  return hash
    .update(key ?? "")
    .update(value ?? "")
    .digest("hex")
    .slice(0, 16);
}

/** What is to be looked at before a partition goes on; null when nobody remembers enough, or the record is gone. */
export function proofOfPlace(
  start: Start,
  { low }: Marks,
  remembered: readonly (Committed | undefined)[],
): Proof | null {
  let best: Proof | null = null;
  for (const one of remembered) {
    if (one?.witness == null || one.life !== start.life || one.offset > start.offset) continue;
    const offset = one.offset - 1n;
    if (offset >= low && (best === null || offset > best.offset))
      best = { offset, witness: one.witness, low };
  }
  return start.discontinuity === null ? best : null;
}

/** True when another record lies where the one of the proof lay. One that is not there proves nothing: topics are compacted. */
export function isRefuted({ offset, witness }: Proof, { records }: Fetched): boolean {
  const found = records.find((record) => BigInt(record.offset) === offset);
  return found !== undefined && witnessOf(found) !== witness;
}
