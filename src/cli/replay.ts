import { resolve } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import { systemClock } from "../clock.ts";
import { readSettings } from "../config.ts";
import { replayConnectionsOf } from "../connections.ts";
import { Customer360Error } from "../errors.ts";
import { faultOf, readBound, type Bound, type Bounds } from "../ingest/replay/bounds.ts";
import { replayId } from "../ingest/replay/progress.ts";
import { openReplay, type Replay } from "../replaying.ts";
import { counted, createFaults, type Faults } from "./faults.ts";
import { nearNames } from "./near-names.ts";
import { pipelineFile, readPlan, settingOption } from "./options.ts";
import { percentOf, watched } from "./progress.ts";
import { inTime, replayWords } from "./replay-progress.ts";
import { outcomesOf, outcomeTable } from "./summary.ts";
import { terminalLog, type Terminal } from "./terminal.ts";

interface ReplayFlags {
  readonly pipeline?: string;
  readonly topic: readonly string[];
  readonly from: readonly string[];
  readonly to: readonly string[];
  readonly data?: string;
  readonly dataDir?: string;
  readonly into?: string;
  readonly restart?: true;
  readonly json?: true;
}

const bound = (text: string): Bound => {
  const found = readBound(text);
  if (found !== null) return found;
  throw new InvalidArgumentError(
    "It has to be an offset (1200), one of a partition (3:1200), a day (2026-01-31) or a time with its zone (2026-01-31T10:00:00Z).",
  );
};

const more = (text: string, before: readonly string[]): readonly string[] => [...before, text];
const moreBounds = (text: string, before: readonly string[]): readonly string[] => {
  bound(text);
  return more(text, before);
};

/** `replay`: reads again what was read before, under the same guard, with progress of its own. */
export function replayCommand(terminal: Terminal, signal: AbortSignal): Command {
  return new Command("replay")
    .description("read topics or files again, into the same store or into a new one beside it")
    .argument("[pipeline]", "the pipeline file")
    .addOption(settingOption("PIPELINE", "--pipeline <file>"))
    .option("--topic <name>", "a topic of the pipeline; may be repeated, default all of them", more, [])
    .option(
      "--from <place>",
      "offset, partition:offset or time to begin at; repeatable for partitions",
      moreBounds,
      [],
    )
    .option(
      "--to <place>",
      "the same for the end, which is not read; default what is there now",
      moreBounds,
      [],
    )
    .option("--data <dir>", "files instead of topics: folder with .json, .ndjson and .gz files of records")
    .option("--into <dir|uri>", "a new data directory or mongodb:// database to rebuild customers in")
    .addOption(settingOption("DATA_DIR", "--data-dir <dir>"))
    .option("--restart", "begin anew what was stopped before its end")
    .option("--json", "print the summary as JSON")
    .addHelpText(
      "after",
      `
Examples:
  customer360 replay bank.yaml --topic bank.public.accounts --from 2026-01-31T10:00:00Z --to 2026-01-31T11:00:00Z
  customer360 replay bank.yaml --topic bank.public.accounts --from 3:1200 --to 3:1300
  customer360 replay bank.yaml --into mongodb://db/bank_rebuilt
  customer360 replay bank.yaml --data ./records --into ./rebuilt
  KAFKA_BROKERS=kafka:9092 MONGODB_URI=mongodb://db/bank REDIS_URL=redis://redis customer360 replay bank.yaml

The same command goes on where it was stopped. Settings are those of start. Exit code: 0 done or stopped, 1 failed, 2 asked wrongly.`,
    )
    .action((file: string | undefined, flags: ReplayFlags) => replay(file, flags, { terminal, signal }));
}

interface Beside {
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
}

async function replay(
  file: string | undefined,
  flags: ReplayFlags,
  { terminal, signal }: Beside,
): Promise<void> {
  const { topic: topics, from, to } = flags;
  const bounds: Bounds = { from: from.map(bound), to: to.map(bound) };
  const fault = faultOf(bounds);
  if (fault !== null) throw new Customer360Error("SETTINGS_INVALID", fault);
  const settings = readSettings({ dataDir: flags.dataDir });
  const plan = readPlan(pipelineFile(file, flags.pipeline));
  const { data = null, into = null } = flags;
  const connections = replayConnectionsOf(settings, { data, into });
  const { source } = connections;
  for (const { given, meant } of nearNames()) terminal.err(`${given} is not read: did you mean ${meant}?\n`);
  const faults = createFaults();
  const begun = await openReplay(
    {
      plan,
      connections,
      topics,
      bounds,
      id: replayId({ dir: source.kind === "files" ? resolve(source.dir) : null, topics, from, to }),
      restart: flags.restart === true,
      isRebuild: into !== null,
      log: terminalLog(terminal),
      onUnreadable: faults.add,
    },
    signal,
  );
  try {
    if (begun.isResumed) terminal.err("going on where it was stopped; --restart begins anew\n");
    const startedMs = systemClock.nowMs();
    const isComplete = await watched({
      terminal,
      clock: systemClock,
      work: begun.run(signal),
      look: () => begun.standing(),
      words: replayWords(source.kind === "files" ? "bytes" : "records", systemClock),
    });
    const ms = systemClock.nowMs() - startedMs;
    await tell(begun, { isComplete, ms, faults, isJson: flags.json === true, terminal, signal });
  } finally {
    await begun.close();
  }
}

interface Ending extends Beside {
  readonly isComplete: boolean;
  readonly ms: number;
  readonly faults: Faults;
  readonly isJson: boolean;
}

async function tell(
  begun: Replay,
  { isComplete, ms, faults, isJson, terminal, signal }: Ending,
): Promise<void> {
  const lines = outcomesOf(begun.account());
  const standing = await begun.standing();
  const rest = signal.aborted
    ? `stopped at ${percentOf(standing)} %: the same command goes on from there`
    : "another process of this replay reads the rest";
  const words = [
    ...faults.lines(),
    `${counted(standing.records, "record")} read again in ${inTime(ms)}; ${isComplete ? "complete" : rest}`,
  ];
  if (isJson) terminal.out(`${JSON.stringify(lines, null, 2)}\n`);
  else terminal.out(outcomeTable(lines));
  for (const line of words) (isJson ? terminal.err : terminal.out)(`${line}\n`);
}
