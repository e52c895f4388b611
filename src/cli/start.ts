import { Command } from "commander";
import { readSettings } from "../config.ts";
import { connectionsOf } from "../connections.ts";
import { pipelineFile, readPlan, settingOption } from "./options.ts";
import { announce, serveUntil } from "./service.ts";
import { terminalLog, type Terminal } from "./terminal.ts";

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
      const log = terminalLog(terminal);
      /** Each reason is told once; the quarantine has the rest. */
      const told = new Set<string>();
      const settings = readSettings({
        port: flags.port,
        host: flags.host,
        dataDir: flags.dataDir,
        recordsDir: flags.records,
        role: flags.role,
      });
      const plan = readPlan(pipelineFile(file, flags.pipeline));
      const { dataDir, role, host, port, graphiql, cursorSecret } = settings;
      await serveUntil(signal, {
        app: {
          plan,
          dataDir,
          fresh: false,
          ...connectionsOf(settings),
          role,
          serve: { host, port, insecure: flags.insecure === true, graphiql, cursorSecret },
          log,
          onUnreadable: ({ origin, reason }) => {
            if (!told.has(reason)) log.warn("records cannot be read", { file: origin.topic, reason });
            told.add(reason);
          },
        },
        beside: (url) => announce(terminal, url),
      });
    });
}
