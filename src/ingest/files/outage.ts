import { Customer360Error } from "../../errors.ts";

/** What the system says when it cannot read now what it could read before, and may again. */
const OUTAGES: ReadonlySet<string> = new Set([
  "EMFILE",
  "ENFILE",
  "EIO",
  "ESTALE",
  "EBUSY",
  "EAGAIN",
  "ENOMEM",
]);

/** The failure of the source that an error of reading a file is; null for a fault of the file itself. */
export function outageOf(path: string, error: unknown): Customer360Error | null {
  return OUTAGES.has(errnoOf(error) ?? "")
    ? new Customer360Error("SOURCE_UNAVAILABLE", `the file ${path} cannot be read now`, { cause: error })
    : null;
}

/** True when the file is not there. */
export function isGone(error: unknown): boolean {
  return ["ENOENT", "ENOTDIR"].includes(errnoOf(error) ?? "");
}

/** The code of a failure of the system or of zlib. */
export function errnoOf(error: unknown): string | null {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : null;
}
