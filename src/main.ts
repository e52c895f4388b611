#!/usr/bin/env node
import { run } from "./cli/program.ts";
import { processTerminal } from "./cli/terminal.ts";

/** The first signal asks the command to stop and lets it finish; the second ends the process at once. */
const stopping = new AbortController();
for (const [signal, code] of [
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const) {
  process.on(signal, () => {
    if (stopping.signal.aborted) process.exit(code);
    stopping.abort();
  });
}

// A reader that has seen enough (`| head`) is no failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1));

process.exitCode = await run(process.argv.slice(2), processTerminal(), stopping.signal);

// Nothing should be left to wait for; if something is, it does not keep the process.
setTimeout(() => process.exit(), 1_000).unref();
