import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const OURS = /^customer360-(\d+)-/;

/** Removes the folders of test runs that died before they could do it themselves. */
function sweep(): void {
  for (const name of readdirSync(tmpdir())) {
    const pid = OURS.exec(name)?.[1];
    if (pid === undefined || !existsSync("/proc/self") || existsSync(`/proc/${pid}`)) continue;
    rmSync(join(tmpdir(), name), { recursive: true, force: true });
  }
}

/** A folder for the files of one server. It carries the id of this process, so that a later run can tell whether it is still in use. */
export function temporaryFolder(name: string): string {
  sweep();
  return mkdtempSync(join(tmpdir(), `customer360-${process.pid}-${name}-`));
}
