import type { TablePlan } from "../cdc/table.ts";
import type { Clock } from "../clock.ts";
import { Customer360Error } from "../errors.ts";
import { FileCursor, topicOf } from "./file-cursor.ts";
import { findFiles, type Found } from "./file-progress.ts";
import type { Checkpoint, Source, SourceBatch, Unreadable } from "./source.ts";

/** What a file source is told. */
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
  /** How long an unfinished end must stand still before it is taken for the real end when following, milliseconds; default 5,000. */
  readonly settleMs?: number;
}

/**
 * The Source port over a folder of `.json`, `.ndjson` (or `.jsonl`) files and `.gz` of either, in the order of their names.
 *
 * A file is known by its path and only ever grows: its checkpoint is how many (unpacked) bytes of it are done with. A file
 * that is replaced under its name would give its lines the coordinates of others, so it is refused: new content needs a new
 * name. A broken file is reported and left, the rest goes on; after a restart it is tried again.
 */
export function fileSource(options: FileSourceOptions): Source {
  const { dir, clock, follow, maxBytes = 1_000_000, pollMs = 250 } = options;
  const { maxRecordBytes = 16_000_000, settleMs = 5_000 } = options;
  const cursorOptions = { ...options, maxBytes, maxRecordBytes, settleMs };
  const cursors = new Map<string, FileCursor>();
  const done = new Map<string, string>();
  const closing = new AbortController();
  const unreadable: Unreadable[] = [];

  const look = async (): Promise<void> => {
    const found = await list(dir);
    const known = new Map(cursors);
    // Rebuilt in the order of names, which is the order files are read in.
    cursors.clear();
    for (const file of found) {
      const from = done.get(topicOf(file.path)) ?? "0";
      const cursor = known.get(file.path) ?? new FileCursor(file, from, cursorOptions);
      known.delete(file.path);
      cursor.found(file);
      cursors.set(file.path, cursor);
    }
    for (const cursor of known.values()) cursor.close();
  };

  const gather = async (): Promise<readonly SourceBatch[]> => {
    const batches: SourceBatch[] = [];
    let room = maxBytes;
    for (const [path, cursor] of cursors) {
      if (room <= 0) break;
      if (!cursor.hasMore()) continue;
      const { records, bytes, nextOffset, unreadable: faults } = await cursor.read(room);
      unreadable.push(...faults);
      room -= bytes;
      if (nextOffset !== null)
        batches.push({ topic: topicOf(path), partition: 0, records, nextOffset, bytes });
    }
    return batches;
  };

  return {
    start: async (checkpoints) => {
      remember(done, checkpoints);
      await look();
    },
    next: async (signal) => {
      const stop = AbortSignal.any([signal, closing.signal]);
      for (let isFirst = true; !stop.aborted; isFirst = false) {
        const batches = await gather();
        if (batches.length > 0) return stop.aborted ? null : batches;
        if (!isFirst && !follow) return null;
        if (!isFirst) await clock.wait(pollMs, stop);
        await look();
      }
      return null;
    },
    acknowledge: async (checkpoints) => remember(done, checkpoints),
    unreadable: () => unreadable.splice(0),
    lag: async () =>
      [...cursors].flatMap(([path, cursor]) => {
        const behind = cursor.behind();
        return behind > 0 ? [{ topic: topicOf(path), partition: 0, behind: String(behind) }] : [];
      }),
    close: async () => {
      closing.abort();
      for (const cursor of cursors.values()) cursor.close();
    },
  };
}

function remember(done: Map<string, string>, checkpoints: readonly Checkpoint[]): void {
  for (const { topic, nextOffset } of checkpoints) done.set(topic, nextOffset);
}

async function list(dir: string): Promise<readonly Found[]> {
  try {
    return await findFiles(dir);
  } catch (error) {
    throw new Customer360Error("SOURCE_UNAVAILABLE", `the folder ${dir} cannot be read`, { cause: error });
  }
}
