import { join } from "node:path";
import type { SourceRecord } from "../cdc/change.ts";
import type { TablePlan } from "../cdc/table.ts";
import type { Clock } from "../clock.ts";
import type { Piece } from "./file-lines.ts";
import { createFileReader, type FileReader, type Found } from "./file-progress.ts";
import { isUnreadable, recordReader } from "./file-records.ts";
import type { Unreadable } from "./source.ts";

/** What a cursor is told. */
export interface FileCursorOptions {
  readonly dir: string;
  readonly tables: readonly TablePlan[];
  readonly clock: Clock;
  readonly follow: boolean;
  readonly maxBytes: number;
  readonly maxRecordBytes: number;
  readonly settleMs: number;
}

/** What one reading of a file gave. */
export interface FileReading {
  readonly records: readonly SourceRecord[];
  readonly unreadable: readonly Unreadable[];
  /** Bytes of keys and values. */
  readonly bytes: number;
  /** Bytes of the file that are delivered now, as decimal text; null when the reading gave nothing. */
  readonly nextOffset: string | null;
}

/** The topic a file's progress is kept under. */
export function topicOf(path: string): string {
  return `file:${path}`;
}

/** Reads one file on, from where its checkpoint says, as far as it is written. */
export class FileCursor {
  readonly #options: FileCursorOptions;
  readonly #toRecord;
  readonly #isPacked: boolean;
  #file: Found;
  #reader: FileReader | null = null;
  /** Bytes delivered; what ends at or before it is passed over. */
  #delivered: number;
  #state: "more" | "end" | "cut" | "broken" = "more";
  #reason = "";
  #changedMs: number;

  constructor(file: Found, delivered: string, options: FileCursorOptions) {
    this.#options = options;
    this.#file = file;
    this.#delivered = Number(delivered);
    this.#isPacked = file.path.endsWith(".gz");
    this.#toRecord = recordReader({ path: file.path, topic: topicOf(file.path) }, options.tables);
    this.#changedMs = options.clock.nowMs();
    if (!this.#isPacked && file.bytes === this.#delivered) this.#state = "end";
  }

  /** Tells the cursor how its file was found this time. */
  found(file: Found): void {
    const before = this.#file;
    if (file.bytes === before.bytes && file.modifiedMs === before.modifiedMs && file.inode === before.inode)
      return;
    this.#changedMs = this.#options.clock.nowMs();
    this.#file = file;
    if (this.#isPacked || this.#state === "broken" || file.inode !== before.inode) this.close();
    this.#state = "more";
    if (file.inode !== before.inode && this.#delivered > 0) this.#refuse();
  }

  /** True when reading may give something. */
  hasMore(): boolean {
    if (!this.#isPacked && this.#file.bytes < this.#delivered && this.#state !== "broken") this.#refuse();
    if (this.#state === "cut" && this.#options.follow) return this.#isStill();
    return this.#state === "more" || this.#state === "cut" || this.#reason !== "";
  }

  /** Records worth about so many bytes. */
  async read(maxBytes: number): Promise<FileReading> {
    const draft = {
      records: [] as SourceRecord[],
      unreadable: [] as Unreadable[],
      bytes: 0,
      delivered: this.#delivered,
    };
    if (this.#state === "cut") this.#takeRest(draft);
    while (this.#state === "more" && draft.bytes < maxBytes) await this.#readChunk(draft);
    // Without follow nobody comes back for what a writer may still finish.
    if (this.#state === "cut" && !this.#options.follow) this.#takeRest(draft);
    const moved = draft.delivered > this.#delivered;
    this.#delivered = draft.delivered;
    if (this.#reason !== "") draft.unreadable.push(this.#report());
    const { records, unreadable, bytes, delivered } = draft;
    return {
      records,
      unreadable,
      bytes,
      nextOffset: moved || unreadable.length > 0 ? String(delivered) : null,
    };
  }

  /** Bytes known and not delivered; of a packed file its packed size while it is not read to its end. */
  behind(): number {
    if (this.#isPacked) return this.#state === "end" ? 0 : this.#file.bytes;
    return Math.max(0, this.#file.bytes - this.#delivered);
  }

  /** Lets go of the file; a later reading opens it again. */
  close(): void {
    this.#reader?.close();
    this.#reader = null;
  }

  async #readChunk(draft: Draft): Promise<void> {
    const { dir, maxBytes, maxRecordBytes } = this.#options;
    const limits = { valueBytes: maxRecordBytes, chunkBytes: maxBytes };
    this.#reader ??= createFileReader(join(dir, this.#file.path), limits);
    const { splitter } = this.#reader;
    try {
      const chunk = await this.#reader.read();
      if (chunk !== null) for (const piece of splitter.push(chunk)) this.#take(draft, piece);
      else this.#state = this.#isUndelivered(splitter.rest()) ? "cut" : "end";
    } catch (error) {
      if (this.#options.follow && this.#isPacked && isCutShort(error) && !this.#isStill())
        this.#state = "cut";
      else this.#break(error instanceof Error ? error.message : String(error));
      this.close();
    }
  }

  #isUndelivered(rest: Piece | null): boolean {
    return rest !== null && rest.end > this.#delivered;
  }

  /** An end without a newline: taken when it is whole, or when nobody will finish it. */
  #takeRest(draft: Draft): void {
    if (this.#reader === null) {
      this.#state = "more";
      return;
    }
    const rest = this.#reader.splitter.rest();
    if (rest === null || !this.#isUndelivered(rest)) this.#state = "end";
    else if (!this.#options.follow || isWhole(rest)) {
      this.#reader.splitter.takeRest();
      this.#take(draft, rest);
      this.#state = "end";
    }
  }

  #take(draft: Draft, piece: Piece): void {
    if (piece.end <= this.#delivered) return;
    const read = this.#toRecord(piece, this.#options.clock.nowMs());
    if (isUnreadable(read)) draft.unreadable.push(read);
    else {
      draft.records.push(read);
      draft.bytes += (read.key?.length ?? 0) + (read.value?.length ?? 0);
    }
    draft.delivered = piece.end;
  }

  #isStill(): boolean {
    return this.#options.clock.nowMs() - this.#changedMs >= this.#options.settleMs;
  }

  #refuse(): void {
    this.#break("the file was replaced or cut under its name; give new content a new name");
    this.close();
  }

  #break(reason: string): void {
    this.#state = "broken";
    this.#reason = reason;
  }

  /** Faults of the file as a whole are told apart from those of its lines by partition 1. */
  #report(): Unreadable {
    const reason = this.#reason;
    this.#reason = "";
    const origin = { topic: topicOf(this.#file.path), partition: 1, offset: String(this.#delivered) };
    return { origin, reason, bytes: null };
  }
}

interface Draft {
  readonly records: SourceRecord[];
  readonly unreadable: Unreadable[];
  bytes: number;
  delivered: number;
}

/** A packed file that ends too early may still be written. */
function isCutShort(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "Z_BUF_ERROR";
}

function isWhole({ bytes }: Piece): boolean {
  try {
    return bytes !== null && typeof JSON.parse(bytes.toString("utf8")) === "object";
  } catch {
    return false;
  }
}
