import pino from "pino";
import type { Log } from "./log.ts";
import { escaped } from "./redact.ts";

/** One JSON object per line: `level`, `time`, `message`, the facts, and what is the same in every line. */
export function jsonLog(write: (line: string) => void, same: Readonly<Record<string, unknown>>): Log {
  const logger = pino(
    {
      base: same,
      messageKey: "message",
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (level) => ({ level }) },
    },
    { write: (line: string) => write(`${escaped(line.trimEnd())}\n`) },
  );
  return {
    info: (message, facts) => logger.info({ ...facts }, message),
    warn: (message, facts) => logger.warn({ ...facts }, message),
    error: (message, facts) => logger.error({ ...facts }, message),
  };
}
