import type { TablePlan } from "../../cdc/table.ts";
import type { Clock } from "../../clock.ts";
import { codeOf } from "../../errors.ts";
import type { Checkpoint, Source, SourceBatch, Unreadable } from "../source.ts";
import { FileCursors } from "./cursors.ts";

/** What a file source is told. Bounds and pauses are for tests to set. */
export interface FileSourceOptions {
  /** The watched folder; subfolders belong to it. */
  readonly dir: string;
  readonly tables: readonly TablePlan[];
  readonly clock: Clock;
  /** False: ends when everything there is has been read. True: keeps looking for new files and new lines. */
  readonly follow: boolean;
  /** Bytes of one answer of `next`, over all files; default 1,000,000. */
  readonly maxBytes?: number;
  /** Longest single record, bytes; default 16,000,000. A longer one is quarantined. */
  readonly maxRecordBytes?: number;
  /** Pause between looks when following, milliseconds; default 250. */
  readonly pollMs?: number;
  /**
   * How long an unfinished end (or first line) must stand still before it is taken for the real one when following,
   * milliseconds; default 5,000.
   */
  readonly settleMs?: number;
}

/**
 * The Source port over a folder of `.json`, `.ndjson` (or `.jsonl`) files and `.gz` of either, in the order of their names.
 *
 * A file is known by its path and its head (files/head.ts: the line its first value ends on) and only ever grows: its
 * checkpoint, under the topic `file:<path>#<hash of the head>`, is how many (unpacked) bytes of it are done with. Another head
 * under the same path is another file, read from its start; the same head and less content than was read is refused. A file
 * rewritten with the same first line cannot be told from one that grew: new content needs a new first line, or a new name.
 *
 * A broken file is reported and left, the rest goes on; after a restart it is tried again. What the system cannot read for the
 * moment is an outage: `next` throws `SOURCE_UNAVAILABLE`, having delivered nothing, and may be called again.
 */
export function fileSource(options: FileSourceOptions): Source {
  const { clock, follow, maxBytes = 1_000_000, pollMs = 250 } = options;
  const { maxRecordBytes = 16_000_000, settleMs = 5_000 } = options;
  const done = new Map<string, string>();
  const files = new FileCursors({ ...options, maxBytes, maxRecordBytes, settleMs }, done);
  const closing = new AbortController();
  const unreadable: Unreadable[] = [];

  const gather = async (): Promise<readonly SourceBatch[]> => {
    const batches: SourceBatch[] = [];
    const outages: unknown[] = [];
    let room = maxBytes;
    for (const cursor of files.list()) {
      if (room <= 0) break;
      if (!cursor.hasMore()) continue;
      const reading = await files.read(cursor, room).catch((error: unknown) => {
        if (codeOf(error) !== "SOURCE_UNAVAILABLE") throw error;
        outages.push(error);
        return null;
      });
      if (reading === null) continue;
      const { records, bytes, nextOffset, unreadable: faults } = reading;
      unreadable.push(...faults);
      room -= bytes;
      if (nextOffset !== null)
        batches.push({ topic: cursor.topic, partition: 0, records, nextOffset, bytes });
    }
    // What the other files gave is delivered; the outage is met again when nothing else is left.
    if (batches.length === 0 && outages.length > 0) throw outages[0];
    return batches;
  };

  return {
    start: async (checkpoints) => {
      remember(done, await checkpoints());
      await files.look();
    },
    next: async (signal) => {
      const stop = AbortSignal.any([signal, closing.signal]);
      for (let isFirst = true; !stop.aborted; isFirst = false) {
        const batches = await gather();
        if (batches.length > 0) return stop.aborted ? null : batches;
        if (!isFirst && !follow) return null;
        if (!isFirst) await clock.wait(pollMs, stop);
        await files.look();
      }
      return null;
    },
    acknowledge: async (checkpoints) => remember(done, checkpoints),
    unreadable: () => unreadable.splice(0),
    lag: async () =>
      files.list().flatMap((cursor) => {
        const behind = cursor.behind();
        return behind > 0 ? [{ topic: cursor.topic, partition: 0, behind: String(behind) }] : [];
      }),
    close: async () => {
      closing.abort();
      files.close();
    },
  };
}

function remember(done: Map<string, string>, checkpoints: readonly Checkpoint[]): void {
  for (const { topic, nextOffset } of checkpoints) done.set(topic, nextOffset);
}
