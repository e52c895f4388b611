import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A temporary folder. */
export interface Scratch {
  readonly path: string;
  /** Removes it with all that is in it; done at the process's exit at the latest. Safe to repeat. */
  remove(): void;
}

/** Makes a temporary folder. */
export function scratchFolder(): Scratch {
  const path = mkdtempSync(join(tmpdir(), "customer360-bench-"));
  const remove = () => {
    process.off("exit", remove);
    rmSync(path, { recursive: true, force: true });
  };
  process.on("exit", remove);
  return { path, remove };
}
