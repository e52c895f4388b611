import { Command } from "commander";
import { guardSource } from "../adapters.ts";
import { systemClock } from "../clock.ts";
import { readSettings } from "../config.ts";
import { connectionsOf } from "../connections.ts";
import { reportOn, type Finding } from "../doctor/report.ts";
import { examine } from "../examination.ts";
import { reportConfigured } from "./configured.ts";
import { counted } from "./faults.ts";
import { pipelineFile, readPlan, settingOption, wholeNumber } from "./options.ts";
import type { Terminal } from "./terminal.ts";

interface DoctorFlags {
  readonly pipeline?: string;
  readonly records?: string;
  readonly role?: string;
  readonly dataDir?: string;
  readonly timeout: number;
  readonly json?: true;
}

/** Seconds each component may take. */
const TIMEOUT = 5;

/**
 * `doctor`: looks at everything that `start` would use with the same settings, and says what to do;
 * calls `failed` when something is wrong.
 */
export function doctorCommand(terminal: Terminal, signal: AbortSignal, failed: () => void): Command {
  return new Command("doctor")
    .description("look at every component that start would use, and say what to do about it")
    .argument("[pipeline]", "the pipeline file")
    .addOption(settingOption("PIPELINE", "--pipeline <file>"))
    .addOption(settingOption("RECORDS_DIR", "--records <dir>"))
    .addOption(settingOption("ROLE", "--role <role>"))
    .addOption(settingOption("DATA_DIR", "--data-dir <dir>"))
    .option("--timeout <seconds>", "how long each component may take", wholeNumber(1), TIMEOUT)
    .option("--json", "print the findings as JSON")
    .addHelpText(
      "after",
      `
Examples:
  customer360 doctor bank.yaml
  KAFKA_BROKERS=kafka:9092 MONGODB_URI=mongodb://db/bank customer360 doctor bank.yaml --role all --json

Exit code: 0 when nothing is wrong (warnings are not), 1 when something is, 2 for settings that cannot be read.`,
    )
    .action(async (file: string | undefined, flags: DoctorFlags) => {
      const settings = readSettings({
        dataDir: flags.dataDir,
        recordsDir: flags.records,
        role: flags.role,
      });
      const plan = readPlan(pipelineFile(file, flags.pipeline));
      const connections = connectionsOf(settings);
      guardSource(connections.source);
      const findings: Finding[] = [];
      const take = (finding: Finding) => {
        findings.push(finding);
        if (flags.json !== true) terminal.out(line(finding));
      };
      reportConfigured(reportOn("settings", take), connections, settings);
      const { dataDir } = settings;
      const deadlineMs = flags.timeout * 1_000;
      await examine({ plan, dataDir, ...connections, clock: systemClock, deadlineMs, signal, take });
      terminal.out(flags.json === true ? `${JSON.stringify(findings, null, 2)}\n` : summary(findings));
      if (signal.aborted) terminal.err("stopped before everything was looked at\n");
      if (signal.aborted || findings.some(isWrong)) failed();
    });
}

const isWrong = ({ state }: Finding): boolean => state === "wrong";

/** Such as `wrong    redis eviction: maxmemory-policy allkeys-lru -> CONFIG SET ...`: always one line. */
function line({ component, check, state, found, todo }: Finding): string {
  const text = `${state.padEnd(8)} ${component} ${check}: ${found}${todo === null ? "" : ` -> ${todo}`}`;
  return `${text.replace(/\s*\n\s*/g, " ")}\n`;
}

function summary(findings: readonly Finding[]): string {
  const wrong = findings.filter(isWrong).length;
  const warnings = findings.filter(({ state }) => state === "warning").length;
  return `${counted(findings.length, "check")}: ${wrong} wrong, ${counted(warnings, "warning")}\n`;
}
