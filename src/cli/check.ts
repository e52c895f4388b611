import { Command } from "commander";
import { readSample } from "../app.ts";
import type { Plan } from "../customer/plan.ts";
import { inspectSample } from "../plan/sample.ts";
import { readPlan } from "./options.ts";
import type { Terminal } from "./terminal.ts";

/** Records of a sample that are looked at; more would say nothing new. */
const SAMPLE_RECORDS = 20_000;

function described(plan: Plan): string {
  const count = (n: number, noun: string) => `${n} ${noun}${n === 1 ? "" : "s"}`;
  return [
    count(plan.tables.length, "table"),
    count(plan.metrics.length, "metric"),
    count(plan.segments.length, "segment"),
    count(plan.offers.length, "offer"),
  ].join(", ");
}

/** `check`: says what is wrong with a pipeline file, and what looks wrong in a sample of its records. */
export function checkCommand(terminal: Terminal): Command {
  return new Command("check")
    .description("validate a pipeline file and, given sample records, warn about clocks, dates and units")
    .requiredOption("--pipeline <file>", "the pipeline file")
    .option("--data <dir>", "folder with sample files of records")
    .addHelpText(
      "after",
      `
Examples:
  customer360 check --pipeline bank.yaml
  customer360 check --pipeline bank.yaml --data ./sample`,
    )
    .action(async (flags: { readonly pipeline: string; readonly data?: string }) => {
      const plan = readPlan(flags.pipeline);
      terminal.out(`${flags.pipeline}: valid: ${described(plan)}\n`);
      if (flags.data === undefined) return;
      const records = await readSample({ plan, dir: flags.data, limit: SAMPLE_RECORDS });
      const warnings = inspectSample(plan, records);
      for (const warning of warnings) terminal.out(`warning: ${JSON.stringify(warning)}\n`);
      terminal.out(`${records.length} records looked at, ${warnings.length} warnings\n`);
    });
}
