import { codeOf } from "./errors.ts";
import { escaped } from "./redact.ts";

/** Where the shell reports. Never given customers' values, only names, counts and coordinates. */
export interface Log {
  info(message: string, facts?: Readonly<Record<string, unknown>>): void;
  warn(message: string, facts?: Readonly<Record<string, unknown>>): void;
  error(message: string, facts?: Readonly<Record<string, unknown>>): void;
}

/** How much a report matters. */
export type LogLevel = keyof Log;

const LEVELS: readonly LogLevel[] = ["info", "warn", "error"];

/** A log that says nothing, for tests. */
export const silentLog: Log = { info: () => {}, warn: () => {}, error: () => {} };

/** A log of what matters at least so much. */
export function atLeast(level: LogLevel, log: Log): Log {
  const kept = LEVELS.slice(LEVELS.indexOf(level));
  return { ...silentLog, ...Object.fromEntries(kept.map((one) => [one, log[one]])) };
}

/** One line per report on a stream: time, level, message, facts as `name=value`. */
export function lineLog(write: (line: string) => void, now: () => Date): Log {
  const line = (level: LogLevel) => (message: string, facts?: Readonly<Record<string, unknown>>) => {
    const tail = Object.entries(facts ?? {}).map(([name, value]) => ` ${name}=${JSON.stringify(value)}`);
    write(`${escaped(`${now().toISOString()} ${level} ${message}${tail.join("")}`)}\n`);
  };
  return { info: line("info"), warn: line("warn"), error: line("error") };
}

/**
 * An error as it may be logged: its words with their code, or for a bug with where it happened. Not the words of a syntax error:
 * they quote what was read, and that may be a customer's.
 */
export function reported(error: unknown): Readonly<Record<string, unknown>> {
  if (!(error instanceof Error)) return { error: typeof error };
  const { name, message, stack = "" } = error;
  const code = codeOf(error);
  if (code !== null) return { error: `${code}: ${message}` };
  const frames = stack.split("\n").filter((line) => /^\s+at /.test(line));
  return {
    error: name === "SyntaxError" ? name : `${name}: ${message}`,
    at: frames.map((frame) => frame.trim().slice("at ".length)),
  };
}
