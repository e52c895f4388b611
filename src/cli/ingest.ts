import { Command } from "commander";
import { createApp, type App } from "../app.ts";
import { aborted, systemClock } from "../clock.ts";
import { readSettings } from "../config.ts";
import { hasRecordFiles } from "../sampling.ts";
import { createFaults, noFiles } from "./faults.ts";
import { pipelineFile, readPlan, settingOption } from "./options.ts";
import { shareInWords, watched, type Standing } from "./progress.ts";
import { outcomesSince, outcomeTable } from "./summary.ts";
import { terminalLog, type Terminal } from "./terminal.ts";

interface IngestFlags {
  readonly pipeline?: string;
  readonly data: string;
  readonly dataDir?: string;
  readonly fresh?: true;
  readonly json?: true;
}

/** `ingest`: applies the files of a folder once and says what became of their records. */
export function ingestCommand(terminal: Terminal, signal: AbortSignal): Command {
  return new Command("ingest")
    .description("apply files of records, print what became of them, and exit")
    .argument("[pipeline]", "the pipeline file")
    .option("--pipeline <file>", "the same as an option")
    .requiredOption("--data <dir>", "folder with .json, .ndjson and .gz files of records")
    .addOption(settingOption("DATA_DIR", "--data-dir <dir>"))
    .option("--fresh", "forget what the data directory held")
    .option("--json", "print the summary as JSON")
    .addHelpText(
      "after",
      `
Examples:
  customer360 ingest bank.yaml --data ./records
  customer360 ingest bank.yaml --data ./records --data-dir /var/lib/customer360 --json`,
    )
    .action(async (file: string | undefined, flags: IngestFlags) => {
      const faults = createFaults();
      const app = await createApp({
        plan: readPlan(pipelineFile(file, flags.pipeline)),
        dataDir: readSettings({ dataDir: flags.dataDir }).dataDir,
        fresh: flags.fresh === true,
        source: { kind: "files", dir: flags.data, follow: false },
        serve: null,
        log: terminalLog(terminal),
        onUnreadable: faults.add,
      });
      try {
        const before = await app.counts();
        await app.start();
        await watched({
          terminal,
          clock: systemClock,
          work: Promise.race([app.finished(), aborted(signal)]),
          look: standingOf(app),
          words: (standing) => shareInWords("applying", standing),
        });
        await app.stopIngest();
        const lines = outcomesSince(before, await app.counts());
        const reasons = lines.length > 0 ? [] : [await whyNothing(flags.data, signal)];
        const words = [...faults.lines(), ...reasons].map((line) => `${line}\n`).join("");
        if (flags.json === true) {
          terminal.out(`${JSON.stringify(lines, null, 2)}\n`);
          terminal.err(words);
        } else terminal.out(outcomeTable(lines) + words);
      } finally {
        await app.stop();
      }
    });
}

/** What to say when nothing was counted. */
async function whyNothing(dir: string, signal: AbortSignal): Promise<string> {
  if (signal.aborted) return "stopped before any record was read";
  if (await hasRecordFiles(dir)) return "nothing new: every record was applied before";
  return noFiles(dir);
}

/** How much of what it has found so far is applied. */
function standingOf(app: App): () => Promise<Standing> {
  let total = 0;
  return async () => {
    const behind = (await app.lag()).reduce((sum, lag) => sum + Number(lag.behind), 0);
    total = Math.max(total, behind);
    return { done: total - behind, total };
  };
}
