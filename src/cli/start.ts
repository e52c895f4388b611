import { Command } from "commander";
import { readSettings, type Settings } from "../config.ts";
import { type Connections, connectionsOf } from "../connections.ts";
import type { Log } from "../log.ts";
import { nearNames } from "./near-names.ts";
import { pipelineFile, readPlan, settingOption } from "./options.ts";
import { announce, serveOptions, serveUntil } from "./service.ts";
import { isJson, serviceLog, type Terminal } from "./terminal.ts";
import { tellingFailure } from "./told.ts";

interface StartFlags {
  readonly port?: string;
  readonly host?: string;
  readonly dataDir?: string;
  readonly pipeline?: string;
  readonly records?: string;
  readonly role?: string;
  readonly insecure?: true;
}

/** `start`: serves a pipeline until it is told to stop; settings come from the environment, options override them. */
export function startCommand(terminal: Terminal, signal: AbortSignal): Command {
  return new Command("start")
    .description("serve a pipeline: apply records from a folder or from Kafka, answer GraphQL")
    .argument("[pipeline]", "the pipeline file")
    .addOption(settingOption("PIPELINE", "--pipeline <file>"))
    .addOption(settingOption("RECORDS_DIR", "--records <dir>"))
    .addOption(settingOption("ROLE", "--role <role>"))
    .addOption(settingOption("DATA_DIR", "--data-dir <dir>"))
    .addOption(settingOption("PORT", "--port <number>"))
    .addOption(settingOption("HOST", "--host <address>"))
    .option("--insecure", "serve addresses beyond loopback although nobody is authenticated")
    .addHelpText(
      "after",
      `
Examples:
  customer360 start bank.yaml --records ./records
  KAFKA_BROKERS=kafka:9092 MONGODB_URI=mongodb://db/bank REDIS_URL=redis://redis customer360 start bank.yaml --role ingest
  PIPELINE=bank.yaml RECORDS_DIR=./records PORT=8080 customer360 start`,
    )
    .action(async (file: string | undefined, flags: StartFlags) => {
      const settings = readSettings({
        port: flags.port,
        host: flags.host,
        dataDir: flags.dataDir,
        recordsDir: flags.records,
        role: flags.role,
      });
      const log = await serviceLog(terminal, settings);
      const serve = () => start(file, flags, { settings, log, signal });
      await (isJson(terminal, settings.logFormat) ? tellingFailure(log, serve) : serve());
    });
}

/** What starting takes, besides what was asked for. */
interface Beside {
  readonly settings: Settings;
  readonly log: Log;
  readonly signal: AbortSignal;
}

async function start(
  file: string | undefined,
  flags: StartFlags,
  { settings, log, signal }: Beside,
): Promise<void> {
  const plan = readPlan(pipelineFile(file, flags.pipeline));
  const { dataDir, role } = settings;
  const connections = connectionsOf(settings);
  log.info("starting", { role, ...kindsOf(connections) });
  for (const { given, meant } of nearNames()) log.warn(`${given} is not read: did you mean ${meant}?`);
  if (role !== "api" && connections.source === null)
    log.warn("no records are read: give RECORDS_DIR (--records) or KAFKA_BROKERS");
  /** Each reason is told once; the quarantine has the rest. */
  const told = new Set<string>();
  await serveUntil(signal, {
    app: {
      plan,
      dataDir,
      role,
      log,
      fresh: false,
      ...connections,
      serve: serveOptions(settings, flags.insecure === true),
      onUnreadable: ({ origin, reason }) => {
        if (!told.has(reason)) log.warn("records cannot be read", { file: origin.topic, reason });
        told.add(reason);
      },
    },
    beside: (url) => announce(log, url, role),
  });
  log.info("stopped");
}

/** What stands behind each port: a misspelt setting shows here. */
function kindsOf({ source, store, updates }: Connections): Record<keyof Connections, string> {
  return { source: source?.kind ?? "none", store: store.kind, updates: updates.kind };
}
