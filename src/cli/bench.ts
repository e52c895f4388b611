import { writeFileSync } from "node:fs";
import { Command, InvalidArgumentError, Option } from "commander";
import { BANKING } from "./options.ts";
import type { Terminal } from "./terminal.ts";

interface BenchFlags {
  readonly json: string;
  readonly only: readonly string[];
}

/** What `--only` takes; the benchmark itself is loaded when it runs, and a test holds the two lists together. */
export const BENCH_GROUPS: readonly string[] = [
  "ingest",
  "durable",
  "growth",
  "queries",
  "fanout",
  "screen",
  "memory",
];

/** Adds one name to those given before. */
function group(name: string, before: readonly string[]): readonly string[] {
  if (!BENCH_GROUPS.includes(name)) {
    throw new InvalidArgumentError(`There are ${BENCH_GROUPS.join(", ")}.`);
  }
  return [...before, name];
}

/** The engine is measured with the servers of the tests, which are no part of the package. */
function onlyInAClone(word: string): never {
  throw new InvalidArgumentError(
    word === "engine"
      ? "The engine is measured on real servers, from a clone of the repository: npm run bench -- engine."
      : "There is only engine.",
  );
}

/** `bench`: measures this machine with this program, prints a table and writes the figures down. */
export function benchCommand(terminal: Terminal, signal: AbortSignal): Command {
  return (
    new Command("bench")
      .description("measure ingest, queries, fan-out, latency and memory on this machine, mostly as ratios")
      // Taken only to say where it belongs: help that listed it would promise it.
      .usage("[options]")
      .argument("[engine]", "", onlyInAClone)
      .option("--json <file>", "where the figures go", "./bench-results.json")
      .addOption(
        new Option("--only <group>", `one of ${BENCH_GROUPS.join(", ")}; may be repeated`)
          .argParser(group)
          .default([], "all"),
      )
      .addHelpText(
        "after",
        `
Examples:
  customer360 bench
  customer360 bench --only fanout --only screen --json fanout.json

In a clone of the repository, npm run bench -- engine measures the engine on real Kafka, MongoDB and Redis servers.`,
      )
      .action(async (_: undefined, { json, only }: BenchFlags) => {
        const [{ runBench }, { inOneLine }, { table }] = await Promise.all([
          import("../bench/run.ts"),
          import("../bench/machine.ts"),
          import("../bench/report.ts"),
        ]);
        const report = await runBench({
          only,
          demoPipeline: BANKING,
          onGroup: (name) => terminal.err(`measuring ${name} ...\n`),
          signal,
        });
        terminal.out(`${inOneLine(report.machine)}; ${report.seconds} s\n\n${table(report.measures)}\n`);
        writeFileSync(json, `${JSON.stringify(report, null, 2)}\n`);
        terminal.err(`written to ${json}\n`);
        const broken = report.failures.map(({ group: name, reason }) => `${name}: ${reason}`);
        if (broken.length > 0) throw new Error(`not everything could be measured\n${broken.join("\n")}`);
      })
  );
}
