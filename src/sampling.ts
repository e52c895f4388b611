import { openFolder } from "./adapters.ts";
import type { SourceRecord } from "./cdc/change.ts";
import { systemClock } from "./clock.ts";
import type { Plan } from "./customer/plan.ts";
import { findFiles } from "./ingest/files/folder.ts";
import type { Unreadable } from "./ingest/source.ts";

/** What a look at a folder's files brought. */
export interface Sample {
  readonly records: readonly SourceRecord[];
  /** What came before the last of these records and could not be read. */
  readonly unreadable: readonly Unreadable[];
}

/** The first records of a folder's files, for a look at them; at most `limit`. Throws SETTINGS_INVALID without the folder. */
export async function readSample(options: {
  readonly plan: Plan;
  readonly dir: string;
  readonly limit: number;
}): Promise<Sample> {
  const { plan, dir, limit } = options;
  const source = openFolder({ dir, follow: false, plan, clock: systemClock });
  const records: SourceRecord[] = [];
  const unreadable: Unreadable[] = [];
  try {
    await source.start(() => Promise.resolve([]));
    for (let batches = await source.next(NEVER); batches !== null; batches = await source.next(NEVER)) {
      records.push(...batches.flatMap((batch) => batch.records));
      unreadable.push(...source.unreadable());
      if (records.length >= limit) break;
    }
    unreadable.push(...source.unreadable());
  } finally {
    await source.close();
  }
  return { records: records.slice(0, limit), unreadable };
}

/** True when a folder has files that could hold records. Throws when it cannot be listed. */
export async function hasRecordFiles(dir: string): Promise<boolean> {
  return (await findFiles(dir)).length > 0;
}

const NEVER = new AbortController().signal;
