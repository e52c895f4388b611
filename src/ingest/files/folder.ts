import { readdir, stat } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { Customer360Error } from "../../errors.ts";
import { isGone } from "./outage.ts";

/** A file of the watched folder as it was found last. */
export interface Found {
  /** Relative to the folder, with `/`. */
  readonly path: string;
  readonly bytes: number;
  readonly inode: number;
  readonly modifiedMs: number;
}

const FILE_NAME = /\.(json|ndjson|jsonl)(\.gz)?$/;

/** The files that hold changes, subfolders included, by name. Hidden ones are passed over, others' names are not looked at. */
export async function findFiles(dir: string): Promise<readonly Found[]> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile() && FILE_NAME.test(entry.name))
    .map((entry) => relative(dir, join(entry.parentPath, entry.name)).split(sep).join("/"))
    .filter((path) => !path.split("/").some((part) => part.startsWith(".")))
    .sort();
  const found: Found[] = [];
  for (const path of paths) {
    const file = await findFile(dir, path);
    if (file !== null) found.push(file);
  }
  return found;
}

/** One file as it is now; null when it is gone. Throws `SOURCE_UNAVAILABLE`. */
export async function findFile(dir: string, path: string): Promise<Found | null> {
  try {
    const { size, ino, mtimeMs } = await stat(join(dir, path));
    return { path, bytes: size, inode: ino, modifiedMs: mtimeMs };
  } catch (error) {
    if (isGone(error)) return null;
    throw new Customer360Error("SOURCE_UNAVAILABLE", `the file ${path} cannot be found now`, {
      cause: error,
    });
  }
}

/** True when nothing says that the file was written in between. */
export function isUntouched(before: Found, now: Found): boolean {
  return now.bytes === before.bytes && now.modifiedMs === before.modifiedMs && now.inode === before.inode;
}
