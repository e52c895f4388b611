import { Command } from "commander";
import { readSettings } from "../config.ts";
import { Customer360Error } from "../errors.ts";
import { readPlan, settingOption } from "./options.ts";
import { announce, serveUntil } from "./service.ts";
import { terminalLog, type Terminal } from "./terminal.ts";

interface StartFlags {
  readonly port?: string;
  readonly host?: string;
  readonly dataDir?: string;
  readonly pipeline?: string;
  readonly records?: string;
  readonly insecure?: true;
}

/** `start`: serves a pipeline until it is told to stop; settings come from the environment, options override them. */
export function startCommand(terminal: Terminal, signal: AbortSignal): Command {
  return new Command("start")
    .description("serve a pipeline: watch a folder of records, apply them, answer GraphQL")
    .addOption(settingOption("PIPELINE", "--pipeline <file>"))
    .addOption(settingOption("RECORDS_DIR", "--records <dir>"))
    .addOption(settingOption("DATA_DIR", "--data-dir <dir>"))
    .addOption(settingOption("PORT", "--port <number>"))
    .addOption(settingOption("HOST", "--host <address>"))
    .option("--insecure", "serve addresses beyond loopback although nobody is authenticated")
    .addHelpText(
      "after",
      `
Examples:
  customer360 start --pipeline bank.yaml --records ./records
  PIPELINE=bank.yaml RECORDS_DIR=./records PORT=8080 customer360 start`,
    )
    .action(async (flags: StartFlags) => {
      const settings = readSettings({
        port: flags.port,
        host: flags.host,
        dataDir: flags.dataDir,
        pipeline: flags.pipeline,
        recordsDir: flags.records,
      });
      if (settings.pipeline === null) {
        throw new Customer360Error("SETTINGS_INVALID", "start needs a pipeline file: --pipeline or PIPELINE");
      }
      const { dataDir, recordsDir, host, port, graphiql, cursorSecret } = settings;
      await serveUntil(signal, {
        app: {
          plan: readPlan(settings.pipeline),
          dataDir,
          fresh: false,
          source: recordsDir === null ? null : { kind: "files", dir: recordsDir, follow: true },
          serve: { host, port, insecure: flags.insecure === true, graphiql, cursorSecret },
          log: terminalLog(terminal),
        },
        beside: (url) => announce(terminal, url),
      });
    });
}
