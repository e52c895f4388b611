import { Customer360Error } from "../../errors.ts";

/** What is asked of an error of the driver, so that only one file has to know the driver. */
interface Failing {
  readonly name: string;
  readonly message: string;
  readonly code?: unknown;
  readonly codeName?: unknown;
  readonly errorLabels?: readonly string[];
}

/** Failures between us and the server, or of finding one: the server may still have done what it was asked. */
const BROKEN =
  /^Mongo(Network|NetworkTimeout|ServerSelection|PoolCleared|WaitQueueTimeout|NotConnected|TopologyClosed|StalePrimary)Error$/;

/**
 * A bulk hides such a failure: it throws an error of its own, and all that is left of the cause are its properties. These are
 * the ones that each of the above has.
 */
const MARKS_OF_BROKEN = ["beforeHandshake", "reason", "address"] as const;

/** Answers of a server that will not go on now and may later: elections, shutdowns, timeouts, a full disk. */
const PASSING: ReadonlySet<number> = new Set([
  6, 7, 24, 50, 63, 64, 89, 91, 100, 112, 133, 134, 150, 189, 202, 234, 262, 317, 384, 402, 9001, 10058,
  10107, 11600, 11602, 13388, 13435, 13436, 14031,
]);

const PASSING_LABELS: ReadonlySet<string> = new Set(["RetryableWriteError", "TransientTransactionError"]);

/** A unique key is there already: for us always a conflict. */
export const DUPLICATE_KEY = 11_000;

/** True for the codes of answers that pass. */
export function isPassing(code: number): boolean {
  return PASSING.has(code);
}

/** True for what fails because of the world, and can be tried again; anything else has to be looked at by somebody. */
export function isOutage(error: unknown): boolean {
  const { code, errorLabels = [] } = failing(error);
  if (isBroken(error)) return true;
  if (typeof code === "number" && PASSING.has(code)) return true;
  return errorLabels.some((label) => PASSING_LABELS.has(label));
}

/**
 * The one place where failures of MongoDB are told apart: an outage is STORE_UNAVAILABLE, which is waited for; anything else
 * fails loudly. Messages name codes and addresses, never values, for servers put keys of customers into theirs.
 */
export function failureOf(error: unknown, where: string): Error {
  const { name, message, code, codeName } = failing(error);
  if (name === "Customer360Error") return error as Error;
  if (isOutage(error)) {
    const reason = isBroken(error) ? withoutSecrets(message) : shown(code, codeName);
    return new Customer360Error("STORE_UNAVAILABLE", `mongodb at ${where}: ${reason}`);
  }
  if (code === 18 || code === 13)
    return new Error(
      `mongodb at ${where} refuses these credentials, or what they may do: ${shown(code, codeName)}`,
    );
  if (typeof code === "number")
    return new Error(`mongodb at ${where} refused an operation: ${shown(code, codeName)}`);
  return error instanceof Error ? error : new Error(String(error));
}

function isBroken(error: unknown): boolean {
  const { name, code } = failing(error);
  if (BROKEN.test(name)) return true;
  // A write to a socket that was reset at that moment fails with the error of the system, which the driver hands on as it is.
  if (error instanceof Error && "syscall" in error && typeof code === "string") return true;
  if (name !== "MongoBulkWriteError" || typeof code === "number") return false;
  return MARKS_OF_BROKEN.some((mark) => mark in (error as object));
}

function shown(code: unknown, codeName: unknown): string {
  return `${typeof codeName === "string" ? codeName : "error"} (${String(code)})`;
}

/** A message without what stands before the `@` of an address. */
export function withoutSecrets(message: string): string {
  return message.replace(/\/\/[^@/\s]*@/g, "//***@");
}

function failing(error: unknown): Failing {
  if (!(error instanceof Error)) return { name: "", message: String(error) };
  const labels = (error as Partial<Failing>).errorLabels;
  return {
    name: error.name,
    message: error.message,
    code: "code" in error ? error.code : undefined,
    codeName: "codeName" in error ? error.codeName : undefined,
    ...(Array.isArray(labels) ? { errorLabels: labels } : {}),
  };
}
