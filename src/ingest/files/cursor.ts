import { join } from "node:path";
import type { SourceRecord } from "../../cdc/change.ts";
import type { TablePlan } from "../../cdc/table.ts";
import type { Clock } from "../../clock.ts";
import type { Unreadable } from "../source.ts";
import type { Found } from "./folder.ts";
import type { Head } from "./head.ts";
import type { Piece } from "./lines.ts";
import { errnoOf, outageOf } from "./outage.ts";
import { createFileReader, type FileReader } from "./reader.ts";
import { isUnreadable, recordReader } from "./records.ts";

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
export function topicOf(path: string, { hash }: Head): string {
  return `file:${path}#${hash}`;
}

/** Reads one file on, from where its checkpoint says, as far as it is written. Another head is another file: another cursor. */
export class FileCursor {
  readonly topic: string;
  readonly #options: FileCursorOptions;
  readonly #toRecord;
  readonly #isPacked: boolean;
  #file: Found;
  #head: Head;
  #reader: FileReader | null = null;
  /** Bytes the reader gave. */
  #read = 0;
  /** Bytes delivered; what ends at or before it is passed over. */
  #delivered: number;
  #state: "more" | "end" | "cut" | "broken" = "more";
  #reason = "";
  #changedMs: number;

  constructor(
    file: Found,
    from: { readonly head: Head; readonly delivered: string },
    options: FileCursorOptions,
  ) {
    this.topic = topicOf(file.path, from.head);
    this.#options = options;
    this.#file = file;
    this.#head = from.head;
    this.#delivered = Number(from.delivered);
    this.#isPacked = file.path.endsWith(".gz");
    this.#toRecord = recordReader({ path: file.path, topic: this.topic }, options.tables);
    this.#changedMs = options.clock.nowMs();
    if (!this.#isPacked && file.bytes === this.#delivered) this.#state = "end";
  }

  /** How the file was found last. */
  get file(): Found {
    return this.#file;
  }

  /** True when this is the head of the cursor's file. */
  hasHead(head: Head | null): boolean {
    return head !== null && head.hash === this.#head.hash;
  }

  /** Tells the cursor that its file was written: how it was found this time, with the same head. */
  written(file: Found, head: Head): void {
    const goesOn = file.inode === this.#file.inode && file.bytes >= this.#read;
    if (this.#isPacked || this.#state === "broken" || !goesOn) this.close();
    this.#changedMs = this.#options.clock.nowMs();
    this.#file = file;
    this.#head = head;
    this.#state = "more";
  }

  /** True when reading may give something. */
  hasMore(): boolean {
    if (!this.#isPacked && this.#file.bytes < this.#delivered && this.#state !== "broken") this.#refuse();
    if ((this.#state === "cut" || !this.#head.isWhole) && this.#options.follow && !this.#isStill())
      return false;
    return this.#state === "more" || this.#state === "cut" || this.#reason !== "";
  }

  /** Records worth about so many bytes. An outage throws `SOURCE_UNAVAILABLE` when nothing was read before it. */
  async read(maxBytes: number): Promise<FileReading> {
    const draft = {
      records: [] as SourceRecord[],
      unreadable: [] as Unreadable[],
      bytes: 0,
      delivered: this.#delivered,
    };
    if (this.#state === "cut") this.#takeRest(draft);
    try {
      while (this.#state === "more" && draft.bytes < maxBytes) await this.#readChunk(draft);
    } catch (outage) {
      // What came before it is delivered; the next reading begins with it.
      if (draft.delivered === this.#delivered) throw outage;
    }
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
    if (this.#state === "end") return 0;
    if (this.#isPacked) return this.#file.bytes;
    return Math.max(0, this.#file.bytes - this.#delivered);
  }

  /** Lets go of the file; a later reading opens it again. */
  close(): void {
    this.#reader?.close();
    this.#reader = null;
    this.#read = 0;
  }

  async #readChunk(draft: Draft): Promise<void> {
    const { dir, maxBytes, maxRecordBytes } = this.#options;
    const limits = { valueBytes: maxRecordBytes, chunkBytes: maxBytes };
    this.#reader ??= createFileReader(join(dir, this.#file.path), limits);
    const { splitter } = this.#reader;
    try {
      const chunk = await this.#reader.read();
      this.#read += chunk?.length ?? 0;
      if (chunk !== null) for (const piece of splitter.push(chunk)) this.#take(draft, piece);
      else if (this.#read < this.#delivered) this.#refuse();
      else this.#state = this.#isUndelivered(splitter.rest()) ? "cut" : "end";
    } catch (error) {
      const outage = outageOf(this.#file.path, error);
      if (outage !== null) {
        if (this.#isPacked) this.close();
        throw outage;
      }
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
    const read = this.#toRecord(piece, Math.trunc(this.#file.modifiedMs));
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
    this.#break("the file was cut under its name: it is shorter than what was read of it");
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
    const origin = { topic: this.topic, partition: 1, offset: String(this.#delivered) };
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
  return errnoOf(error) === "Z_BUF_ERROR";
}

function isWhole({ bytes }: Piece): boolean {
  try {
    return bytes !== null && typeof JSON.parse(bytes.toString("utf8")) === "object";
  } catch {
    return false;
  }
}
