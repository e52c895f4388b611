import { reported, type Log } from "../log.ts";

/** A failure that was told already, its cause: nothing is left of it but the exit code. */
export class Told extends Error {
  override readonly name = "Told";
}

/** Tells how work failed in a log whose lines machines read, where a sentence beside them would be none. */
export async function tellingFailure(log: Log, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    const cause = error instanceof Error && error.cause !== undefined ? { cause: reported(error.cause) } : {};
    log.error("the process ends", { ...reported(error), ...cause });
    throw new Told("told", { cause: error });
  }
}
