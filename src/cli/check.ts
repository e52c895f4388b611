import { Command } from "commander";
import type { Plan } from "../customer/plan.ts";
import { inspectSample } from "../plan/sample/sample.ts";
import type { Warning } from "../plan/sample/seen.ts";
import { hasRecordFiles, readSample } from "../sampling.ts";
import { counted, createFaults, noFiles } from "./faults.ts";
import { pipelineFile, readPlan } from "./options.ts";
import type { Terminal } from "./terminal.ts";

/** Records of a sample that are looked at; more would say nothing new. */
const SAMPLE_RECORDS = 20_000;

function described(plan: Plan): string {
  return [
    counted(plan.tables.length, "table"),
    counted(plan.metrics.length, "metric"),
    counted(plan.segments.length, "segment"),
    counted(plan.offers.length, "offer"),
  ].join(", ");
}

/** `check`: says what is wrong with a pipeline file, and what looks wrong in a sample of its records. */
export function checkCommand(terminal: Terminal): Command {
  return new Command("check")
    .description("validate a pipeline file and, given sample records, warn about clocks, dates and units")
    .argument("[pipeline]", "the pipeline file")
    .option("--pipeline <file>", "the same as an option")
    .option("--data <dir>", "folder with sample files of records")
    .addHelpText(
      "after",
      `
Examples:
  customer360 check bank.yaml
  customer360 check bank.yaml --data ./sample`,
    )
    .action(
      async (file: string | undefined, flags: { readonly pipeline?: string; readonly data?: string }) => {
        const path = pipelineFile(file, flags.pipeline);
        const plan = readPlan(path);
        terminal.out(`${path}: valid: ${described(plan)}\n`);
        if (flags.data === undefined) return;
        const { records, unreadable } = await readSample({ plan, dir: flags.data, limit: SAMPLE_RECORDS });
        const faults = createFaults();
        unreadable.forEach(faults.add);
        const warnings = [...faults.lines(), ...inspectSample(plan, records).map(line)];
        if (records.length + unreadable.length === 0 && !(await hasRecordFiles(flags.data)))
          warnings.push(noFiles(flags.data));
        for (const warning of warnings) terminal.out(`warning: ${warning}\n`);
        const looked = counted(records.length + unreadable.length, "record");
        terminal.out(`${looked} looked at, ${counted(warnings.length, "warning")}\n`);
      },
    );
}

/** A warning with the place it concerns before it. */
function line({ table, column, text }: Warning): string {
  const place = [table, column].filter((part) => part !== null).join(".");
  return place === "" ? text : `${place}: ${text}`;
}
