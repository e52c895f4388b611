/** Where the shell reports. Never given customers' values, only names, counts and coordinates. */
export interface Log {
  info(message: string, facts?: Readonly<Record<string, unknown>>): void;
  warn(message: string, facts?: Readonly<Record<string, unknown>>): void;
  error(message: string, facts?: Readonly<Record<string, unknown>>): void;
}

/** A log that says nothing, for tests. */
export const silentLog: Log = { info: () => {}, warn: () => {}, error: () => {} };

/** One line per report on a stream: time, level, message, facts as `name=value`. */
export function lineLog(write: (line: string) => void, now: () => Date): Log {
  const line = (level: string) => (message: string, facts?: Readonly<Record<string, unknown>>) => {
    const tail = Object.entries(facts ?? {}).map(([name, value]) => ` ${name}=${JSON.stringify(value)}`);
    write(`${now().toISOString()} ${level} ${message}${tail.join("")}\n`);
  };
  return { info: line("info"), warn: line("warn"), error: line("error") };
}
