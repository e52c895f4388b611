import type { Change, Refusal, RefusalCode, SourceRecord } from "../cdc/change.ts";
import type { Decoded } from "../cdc/decode.ts";
import { partitionName, sameOrigin } from "../cdc/partition.ts";
import { sameValues } from "../customer/values/compare.ts";
import type { Quarantined } from "../store/store.ts";
import type { Poison } from "./apply.ts";
import type { Unroutable } from "./route.ts";
import type { Unsavable } from "./save.ts";
import type { Shell } from "./shell.ts";
import type { SourceBatch, Unreadable } from "./source.ts";

/** A refusal that no rule asked for. */
export function refusal(code: RefusalCode, reason: string): Refusal {
  return { code, reason, rules: [] };
}

/** What refusing a change takes: whoever decodes, and the batches it came with. */
type Refusing = Pick<Shell, "clock" | "log" | "decode">;

/** Changes that lead to nobody. */
export function quarantineUnroutable(
  shell: Refusing,
  refused: readonly Unroutable[],
  batches: readonly SourceBatch[],
): readonly Quarantined[] {
  return refused.map(({ change, refusal: why }) => ({
    record: recordOf(shell, change, batches),
    table: change.table,
    refusal: why,
    atMs: shell.clock.nowMs(),
  }));
}

/**
 * Changes on which the core itself fails. The reason names the fault;
 * once it is repaired, `customer360 replay` reads them again.
 */
export function quarantinePoison(
  shell: Refusing,
  poison: readonly Poison[],
  batches: readonly SourceBatch[],
): readonly Quarantined[] {
  const { clock, log } = shell;
  return poison.map(({ change, reason }) => {
    log.error("a change could not be applied", { ...change.origin, table: change.table });
    const record = recordOf(shell, change, batches);
    return { record, table: change.table, refusal: refusal("fault", reason), atMs: clock.nowMs() };
  });
}

/** Changes whose customer cannot be saved with them; departures that routing made are nobody's records. */
export function quarantineUnsavable(
  shell: Refusing,
  refused: readonly Unsavable[],
  { echoes, batches }: { readonly echoes: ReadonlySet<Change>; readonly batches: readonly SourceBatch[] },
): readonly Quarantined[] {
  return refused.flatMap(({ folded, reason }) =>
    folded.input.changes
      .filter((change) => !echoes.has(change))
      .map((change) => ({
        record: recordOf(shell, change, batches),
        table: change.table,
        refusal: refusal("too-large", reason),
        atMs: shell.clock.nowMs(),
      })),
  );
}

/**
 * The record a change was decoded from, found again by its coordinates; only refusals pay for the search. A bare file may hold
 * several records at equal coordinates: then the one that decodes to the change.
 */
function recordOf({ decode }: Refusing, change: Change, batches: readonly SourceBatch[]): SourceRecord {
  const { origin } = change;
  const found = batches.flatMap(({ records }) => records.filter((record) => sameOrigin(record, origin)));
  const record = found.length > 1 ? found.find((one) => isSource(decode(one), change)) : found[0];
  if (record === undefined) throw new Error(`no record at ${partitionName(origin)}/${origin.offset}`);
  return record;
}

function isSource(decoded: Decoded, { op, key, position, set }: Change): boolean {
  if (decoded.kind !== "change") return false;
  const { change } = decoded;
  return (
    change.op === op && change.key === key && change.position === position && sameValues(change.set, set)
  );
}

/** What the source could not read, in the form of a refused record. */
export function quarantineUnreadable({ origin, reason, bytes }: Unreadable, atMs: number): Quarantined {
  const record: SourceRecord = { ...origin, timestampMs: atMs, key: null, value: bytes, headers: {} };
  return { record, table: null, refusal: refusal("unreadable", reason), atMs };
}
