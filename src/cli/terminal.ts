import { colorWanted } from "../config.ts";
import { lineLog, type Log } from "../log.ts";

/** Where a command speaks: results to `out`, everything about getting there to `err`. */
export interface Terminal {
  out(text: string): void;
  err(text: string): void;
  /** A person is watching `err`: progress may move. */
  readonly interactive: boolean;
  /** Results may carry colours. */
  readonly color: boolean;
}

/** The terminal of this process. */
export function processTerminal(): Terminal {
  return {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
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

/** Emphasis, where the terminal takes it. */
export function strong(terminal: Terminal, text: string): string {
  return terminal.color ? `\u001b[1m${text}\u001b[22m` : text;
}

/** A count for people: 1,000. */
export function grouped(count: number): string {
  return count.toLocaleString("en-US");
}
