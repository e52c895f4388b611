/** Stable codes of failures, with their cause and remedy in docs/OPERATIONS.md. */
export type ErrorCode =
  | "PIPELINE_INVALID" // the pipeline file has faults; the message lists each with line and column
  | "SETTINGS_INVALID" // environment or options have faults; all are listed
  | "PORT_IN_USE"
  | "NOT_LOOPBACK" // binding beyond loopback without authentication
  | "DATA_DIR_IN_USE" // another process holds the data directory
  | "STORE_UNAVAILABLE"
  | "STORE_INCOMPATIBLE" // written by another version
  | "STORE_DAMAGED" // the file of the embedded store is no sound database
  | "SOURCE_UNAVAILABLE"
  | "SOURCE_FAILED" // the source cannot go on by itself: ingest ends, and with it the process
  | "UPDATES_UNAVAILABLE"
  | "EXPECTATION_FAILED" // a rule with action fail was violated: ingest stops on purpose
  | "BAD_USER_INPUT" // an argument out of range; safe to show
  | "CURSOR_INVALID" // a forged, foreign or outdated cursor; safe to show
  | "NOT_FOUND";

/** A failure of the world or of input, recognised by `code`, never by prototype. Bugs throw plain errors. */
export class Customer360Error extends Error {
  readonly code: ErrorCode;
  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = "Customer360Error";
    this.code = code;
  }
}

/** The code of one of our errors, or null for anything else. */
export function codeOf(error: unknown): ErrorCode | null {
  return error instanceof Error && error.name === "Customer360Error" && "code" in error
    ? (error.code as ErrorCode)
    : null;
}

/** For the end of exhaustive switches. */
export function unreachable(value: never): never {
  throw new Error(`unreachable: ${JSON.stringify(value)}`);
}
