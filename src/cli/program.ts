import { readFileSync } from "node:fs";
import { Command, CommanderError } from "commander";
import { codeOf } from "../errors.ts";
import { benchCommand } from "./bench.ts";
import { checkCommand } from "./check.ts";
import { demoCommand } from "./demo.ts";
import { doctorCommand } from "./doctor.ts";
import { ingestCommand } from "./ingest.ts";
import { replayCommand } from "./replay.ts";
import { schemaCommand } from "./schema.ts";
import { startCommand } from "./start.ts";
import type { Terminal } from "./terminal.ts";
import { Told } from "./told.ts";

/** Exit codes: done, failed, asked wrongly. */
const DONE = 0;
const FAILED = 1;
const MISUSED = 2;

function version(): string {
  const file = new URL("../../package.json", import.meta.url);
  return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
}

/**
 * The commands, wired to a terminal, to the signal that asks them to stop,
 * and to what is called by one that found something wrong.
 */
function program(terminal: Terminal, signal: AbortSignal, failed: () => void): Command {
  const root = new Command("customer360")
    .description("Debezium change streams in, one live document per customer out, over GraphQL")
    .version(version())
    .addHelpText(
      "after",
      `
Examples:
  customer360 demo
  customer360 start bank.yaml --records ./records
  customer360 schema --json > pipeline.schema.json`,
    );
  const commands = [
    demoCommand(terminal, signal),
    startCommand(terminal, signal),
    ingestCommand(terminal, signal),
    replayCommand(terminal, signal),
    checkCommand(terminal),
    doctorCommand(terminal, signal, failed),
    schemaCommand(terminal),
    benchCommand(terminal, signal),
  ];
  for (const command of commands) root.addCommand(command);
  for (const command of [root, ...commands]) {
    command
      .exitOverride()
      .showSuggestionAfterError()
      .showHelpAfterError("(see --help)")
      .configureOutput({ writeOut: (text) => terminal.out(text), writeErr: (text) => terminal.err(text) });
  }
  return root;
}

function explain(error: unknown, terminal: Terminal): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? DONE : MISUSED;
  if (error instanceof Told) return exitCode(error.cause);
  const code = codeOf(error);
  if (code === null) {
    terminal.err(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    return FAILED;
  }
  terminal.err(`error ${code}: ${(error as Error).message}\n`);
  const { cause } = error as Error;
  if (cause instanceof Error) terminal.err(`  cause: ${cause.message}\n`);
  return exitCode(error);
}

function exitCode(error: unknown): number {
  return codeOf(error) === "SETTINGS_INVALID" ? MISUSED : FAILED;
}

/** Runs one command line and answers its exit code: 0 done, 1 failed, 2 asked wrongly. */
export async function run(args: readonly string[], terminal: Terminal, signal: AbortSignal): Promise<number> {
  let code = DONE;
  const failed = () => void (code = FAILED);
  try {
    await program(terminal, signal, failed).parseAsync(args, { from: "user" });
    return code;
  } catch (error) {
    return explain(error, terminal);
  }
}
