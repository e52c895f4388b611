import { colorWanted, readSecrets, type Settings } from "../config.ts";
import { atLeast, lineLog, type Log } from "../log.ts";
import { createRedactor } from "../redact.ts";

/** Where a command speaks: results to `out`, everything about getting there to `err`. */
export interface Terminal {
  out(text: string): void;
  err(text: string): void;
  /** A person is watching `err`: progress may move. */
  readonly interactive: boolean;
  /** Results may carry colours. */
  readonly color: boolean;
}

/** The terminal of this process. What goes to `err` is rid of secrets. */
export function processTerminal(): Terminal {
  const redact = createRedactor(readSecrets());
  return {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(redact(text)),
    interactive: process.stderr.isTTY,
    color: process.stdout.isTTY && colorWanted(),
  };
}

/** Log lines go beside the results, never into them. */
export function terminalLog(terminal: Terminal): Log {
  return lineLog(
    (line) => terminal.err(line),
    () => new Date(),
  );
}

/** The log of a process that runs for long: lines where a person watches, else JSON, unless the settings say. */
export async function serviceLog(
  terminal: Terminal,
  { logFormat, logLevel, role }: Pick<Settings, "logFormat" | "logLevel" | "role">,
): Promise<Log> {
  if (!isJson(terminal, logFormat)) return atLeast(logLevel, terminalLog(terminal));
  const { jsonLog } = await import("../json-log.ts");
  return atLeast(
    logLevel,
    jsonLog((line) => terminal.err(line), { pid: process.pid, role }),
  );
}

/** True when a log on this terminal is JSON. */
export function isJson({ interactive }: Terminal, format: Settings["logFormat"]): boolean {
  return format === "json" || (format === "auto" && !interactive);
}

/** Emphasis, where the terminal takes it. */
export function strong(terminal: Terminal, text: string): string {
  return terminal.color ? `\u001b[1m${text}\u001b[22m` : text;
}

/** A count for people: 1,000. */
export function grouped(count: number): string {
  return count.toLocaleString("en-US");
}
