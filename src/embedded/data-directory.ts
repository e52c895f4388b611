import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { codeOf, Customer360Error } from "../errors.ts";
import { openSqlite, type Sqlite } from "./database.ts";

/** The files of an embedded installation, held by this process alone until released. */
export interface DataDirectory {
  readonly store: string;
  /** The file of the store: publishing syncs the log they share, so nobody is told what a power failure could take back. */
  readonly updates: string;
  /** The demo bank's journal. */
  readonly journal: string;
  /** The secret that signs cursors, made at the first call and kept, so that cursors outlive a restart. */
  cursorSecret(): Uint8Array;
  /** Safe to repeat. */
  release(): void;
}

const DATABASES = ["store.db"];
const SECRET = "cursor-secret";
const JOURNAL = "demo-bank.json";
const SECRET_BYTES = 32;

/** A process that is told to stop and started again at once meets the one before it. */
const PATIENCE_MS = 1_000;

/** The operating system lets go of the lock when the process dies, however it dies. */
function lock(path: string): Sqlite {
  const file = join(path, "lock.db");
  try {
    const held = openSqlite({
      path: file,
      sync: "checkpoint",
      version: 1,
      schema: "",
      code: "DATA_DIR_IN_USE",
      busyMs: PATIENCE_MS,
    });
    held.exec("BEGIN IMMEDIATE");
    return held;
  } catch (error) {
    const { message } = error as Error;
    if (codeOf(error) === "STORE_DAMAGED")
      throw new Customer360Error("STORE_DAMAGED", `${file} is damaged: it holds no data, remove it`, {
        cause: error,
      });
    if (codeOf(error) !== "DATA_DIR_IN_USE") throw error;
    if (!/SQLITE_(BUSY|LOCKED)/.test(message)) {
      throw new Customer360Error(
        "STORE_UNAVAILABLE",
        `${path} cannot be used (${message}); check its permissions and the free space, or give another directory with --data-dir`,
        { cause: error },
      );
    }
    throw new Customer360Error(
      "DATA_DIR_IN_USE",
      `${path} is in use by another customer360 process; stop it, or give another directory with --data-dir`,
      { cause: error },
    );
  }
}

/** True while a process holds the directory, which has to exist. */
export function isInUse(path: string): boolean {
  if (!existsSync(join(path, "lock.db"))) return false;
  try {
    const held = lock(path);
    held.exec("ROLLBACK");
    held.close();
    return false;
  } catch (error) {
    if (codeOf(error) === "DATA_DIR_IN_USE") return true;
    throw error;
  }
}

/** Removes what an installation keeps, and nothing else that may lie in the directory. */
function clear(path: string): void {
  const files = DATABASES.flatMap((name) => [name, `${name}-wal`, `${name}-shm`]);
  for (const name of [...files, SECRET, JOURNAL]) {
    const file = join(path, name);
    try {
      rmSync(file, { force: true });
    } catch (error) {
      throw new Customer360Error(
        "STORE_UNAVAILABLE",
        `${file} cannot be removed: what is in its place is none of our files, or may not be touched; move it away, or give another directory with --data-dir`,
        { cause: error },
      );
    }
  }
}

/**
 * Put in place whole, so that neither a full disk nor a crash leaves a secret that everybody can guess;
 * what is too short is made anew.
 */
function secretAt(file: string): Uint8Array {
  const known = existsSync(file) ? readFileSync(file) : null;
  if (known !== null && known.length >= SECRET_BYTES) return known;
  const made = randomBytes(SECRET_BYTES);
  const draft = `${file}.new`;
  rmSync(draft, { force: true });
  writeFileSync(draft, made, { mode: 0o600, flag: "wx", flush: true });
  renameSync(draft, file);
  return made;
}

/**
 * Takes a directory, made when missing; `fresh` forgets what it held. Waits a moment for a process that is just
 * stopping, then throws DATA_DIR_IN_USE.
 */
export function openDataDirectory(path: string, options: { readonly fresh: boolean }): DataDirectory {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new Customer360Error("STORE_UNAVAILABLE", `the data directory ${path} cannot be made`, {
      cause: error,
    });
  }
  const held = lock(path);
  let released = false;
  const release = (): void => {
    if (released) return;
    released = true;
    held.exec("ROLLBACK");
    held.close();
  };
  try {
    if (options.fresh) clear(path);
  } catch (error) {
    release();
    throw error;
  }
  return {
    store: join(path, "store.db"),
    updates: join(path, "store.db"),
    journal: join(path, JOURNAL),
    cursorSecret: () => secretAt(join(path, SECRET)),
    release,
  };
}
