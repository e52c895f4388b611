import { existsSync, rmSync, statfsSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Report } from "../../doctor/report.ts";
import { isInUse } from "../../embedded/data-directory.ts";
import { readSqlite, versionOf } from "../../embedded/database.ts";
import { SCHEMA_VERSION } from "../../embedded/schema.ts";
import type { Checkpoint } from "../../ingest/source.ts";
import { sqliteLedger } from "./ledger.ts";

const MB = 1_000_000;
/** Free space below which writing will soon fail, and below which it fails any moment. */
const SCARCE_BYTES = 1_000 * MB;
const FULL_BYTES = 100 * MB;

/**
 * Looks at a data directory without changing what it holds, also while another process uses it. Answers the checkpoints
 * kept there; none when there is no store yet, or it cannot be read.
 */
export function examineDirectory(path: string, report: Report): readonly Checkpoint[] {
  const base = existing(path);
  const isThere = base === path;
  if (!isThere) report.ok("directory", `${path} does not exist`, "the first start makes it");
  else if (!statSync(path).isDirectory()) {
    report.wrong("directory", `${path} is no directory`, "name another one with --data-dir or DATA_DIR");
    return [];
  } else report.ok("directory", path);
  examineWriting(base, report);
  examineSpace(base, report);
  if (!isThere) return [];
  if (isInUse(path))
    report.warning(
      "in use",
      "another customer360 process holds it",
      "nothing, if it is meant to run; a second one cannot start here",
    );
  else report.ok("in use", "by no other process");
  return examineStore(join(path, "store.db"), report);
}

/** The path, or what there is of it. */
function existing(path: string): string {
  return existsSync(path) || dirname(path) === path ? path : existing(dirname(path));
}

function examineWriting(path: string, report: Report): void {
  const scratch = join(path, `.doctor-${process.pid}`);
  try {
    writeFileSync(scratch, "", { flag: "wx" });
    rmSync(scratch);
    report.ok("writing", "a file could be made and removed");
  } catch (error) {
    report.wrong(
      "writing",
      (error as Error).message,
      `let the user of this process (id ${process.getuid?.() ?? "?"}) write there, or name another directory`,
    );
  }
}

function examineSpace(path: string, report: Report): void {
  const { bavail, bsize } = statfsSync(path);
  const free = bavail * bsize;
  const found = `${Math.floor(free / MB).toLocaleString("en-US")} MB free`;
  const todo = "make room: the write-ahead log alone grows to 64 MB and more between checkpoints";
  if (free < FULL_BYTES) report.wrong("space", found, todo);
  else if (free < SCARCE_BYTES) report.warning("space", found, todo);
  else report.ok("space", found);
}

function examineStore(file: string, report: Report): readonly Checkpoint[] {
  if (!existsSync(file)) {
    report.ok("store", "empty", "the first start makes it");
    return [];
  }
  try {
    return readSqlite(file, "STORE_UNAVAILABLE", (db) => {
      const { version, isOurs } = versionOf(db);
      if (!isOurs || version > SCHEMA_VERSION) {
        const found = isOurs
          ? `${file} has schema ${version}, this program knows ${SCHEMA_VERSION}`
          : `${file} is of another program`;
        report.wrong("store", found, "run the program that wrote it, or name another data directory");
        return [];
      }
      const note = version < SCHEMA_VERSION ? "the next start brings it up to date" : undefined;
      report.ok("store", `schema ${version}`, note);
      return sqliteLedger(db).checkpoints();
    });
  } catch (error) {
    report.wrong(
      "store",
      (error as Error).message,
      "check the file's permissions and the disk; a copy made while no process ran can take its place",
    );
    return [];
  }
}
