import { join } from "node:path";
import { Customer360Error } from "../../errors.ts";
import { FileCursor, topicOf, type FileCursorOptions, type FileReading } from "./cursor.ts";
import { findFile, findFiles, isUntouched, type Found } from "./folder.ts";
import { headOf } from "./head.ts";

/** The cursors of a folder's files, in the order of their names, which is the order files are read in. */
export class FileCursors {
  readonly #options: FileCursorOptions;
  readonly #done: ReadonlyMap<string, string>;
  #cursors = new Map<string, FileCursor>();

  /** `done`: bytes that are done with, as decimal text, by the topic of the file. */
  constructor(options: FileCursorOptions, done: ReadonlyMap<string, string>) {
    this.#options = options;
    this.#done = done;
  }

  list(): readonly FileCursor[] {
    return [...this.#cursors.values()];
  }

  /** Finds the files there are now. Throws `SOURCE_UNAVAILABLE`. */
  async look(): Promise<void> {
    const now = new Map<string, FileCursor>();
    for (const file of await this.#files()) {
      const cursor = await this.#cursorOf(file);
      if (cursor !== null) now.set(file.path, cursor);
    }
    for (const [path, cursor] of this.#cursors) if (now.get(path) !== cursor) cursor.close();
    this.#cursors = now;
  }

  /**
   * Records of one file, worth about so many bytes;
   * null when another file stands in its place by now, which the next look finds.
   */
  async read(cursor: FileCursor, maxBytes: number): Promise<FileReading | null> {
    if (!(await this.#isReplaced(cursor))) return cursor.read(maxBytes);
    this.#cursors.delete(cursor.file.path);
    cursor.close();
    return null;
  }

  close(): void {
    for (const cursor of this.#cursors.values()) cursor.close();
  }

  async #files(): Promise<readonly Found[]> {
    const { dir } = this.#options;
    try {
      return await findFiles(dir);
    } catch (error) {
      throw new Customer360Error("SOURCE_UNAVAILABLE", `the folder ${dir} cannot be read`, { cause: error });
    }
  }

  /** The cursor of a file as it was found now: the known one while the head is the same. Null when it is gone meanwhile. */
  async #cursorOf(file: Found): Promise<FileCursor | null> {
    const known = this.#cursors.get(file.path);
    if (known !== undefined && isUntouched(known.file, file)) return known;
    const head = await headOf(join(this.#options.dir, file.path));
    if (head === null) return null;
    if (known === undefined || !known.hasHead(head)) {
      const delivered = this.#done.get(topicOf(file.path, head)) ?? "0";
      return new FileCursor(file, { head, delivered }, this.#options);
    }
    known.written(file, head);
    return known;
  }

  /** True when the path leads to another file by now: a look may be long ago. */
  async #isReplaced(cursor: FileCursor): Promise<boolean> {
    const { dir } = this.#options;
    const file = await findFile(dir, cursor.file.path);
    if (file === null) return true;
    return !isUntouched(cursor.file, file) && !cursor.hasHead(await headOf(join(dir, file.path)));
  }
}
