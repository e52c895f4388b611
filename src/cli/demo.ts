import { Command } from "commander";
import type { App } from "../app.ts";
import { systemClock } from "../clock.ts";
import { readSettings } from "../config.ts";
import type { Log } from "../log.ts";
import { BANKING, readPlan, settingOption, wholeNumber } from "./options.ts";
import { shareInWords, progress } from "./progress.ts";
import { serveOptions, serveUntil } from "./service.ts";
import { grouped, strong, terminalLog, type Terminal } from "./terminal.ts";

interface DemoFlags {
  readonly port?: string;
  readonly host?: string;
  readonly dataDir?: string;
  readonly customers: number;
  readonly rate: number;
  readonly seed: number;
  readonly fresh?: true;
  readonly insecure?: true;
}

const DEFAULT_CUSTOMERS = 1_000;
const DEFAULT_RATE = 50;
const DEFAULT_SEED = 2_026;

const REFRESH_MS = 500;

/** How often a line says that the demo is alive. */
const REPORT_MS = 30_000;

/** A query and a subscription to paste; both are held against the schema by a test. */
export const DEMO_QUERY =
  '{ customer(customerId: "1") { revision customers { fullName city } tiers { engagement spending } metrics { spendTotal deposits } offers(first: 3) { nodes { title state reason } } } }';

/** Follows the liveliest customer. */
export const DEMO_SUBSCRIPTION =
  'subscription { customerUpdates(customerId: "1") { __typename ... on CustomerSnapshot { customers { customerId revision tiers { engagement spending } metrics { spendTotal } } } ... on CustomerChange { changed customer { revision tiers { engagement spending } metrics { spendTotal } } } } }';

function curl(url: string, query: string, flags: string): string {
  const body = JSON.stringify({ query }).replaceAll("'", "'\\''");
  return `curl -s${flags} ${url}/graphql -H 'content-type: application/json' -d '${body}'`;
}

function welcome(terminal: Terminal, url: string, flags: DemoFlags): string {
  const heading = (text: string) => strong(terminal, text);
  return `
${heading("customer360 demo")}: a bank of ${grouped(flags.customers)} customers, ${grouped(flags.rate)} changes per second, seed ${flags.seed}

  ${heading("Explore")}   ${url}/graphql

  ${heading("Ask")}       ${curl(url, DEMO_QUERY, "")}

  ${heading("Watch")}     ${curl(url, DEMO_SUBSCRIPTION, "N -H 'accept: text/event-stream'")}

  ${heading("Stop")}      Ctrl-C. The data stay and the bank goes on next time; --fresh starts over.

`;
}

/** Shows the customers coming in, then says now and then how it goes. */
async function report(
  app: App,
  shown: { terminal: Terminal; log: Log; all: number },
  signal: AbortSignal,
): Promise<void> {
  const bar = progress((standing) => shareInWords("loading the bank", standing), {
    terminal: shown.terminal,
    clock: systemClock,
  });
  for (let loaded = 0; loaded < shown.all && !signal.aborted;) {
    loaded = (await app.counts()).customers;
    bar.update({ done: loaded, total: shown.all });
    await systemClock.wait(REFRESH_MS, signal);
  }
  bar.end();
  while (!signal.aborted) {
    const { customers, tallies } = await app.counts();
    const applied = tallies.filter(({ kind, label }) => kind === "verdict" && label === "applied");
    const changes = applied.reduce((sum, { count }) => sum + count, 0);
    const behind = (await app.lag()).reduce((sum, lag) => sum + Number(lag.behind), 0);
    shown.log.info("living", { customers, applied: changes, behind });
    await systemClock.wait(REPORT_MS, signal);
  }
}

/** `demo`: the whole product in one process on a bank that lives. */
export function demoCommand(terminal: Terminal, signal: AbortSignal): Command {
  return new Command("demo")
    .description("generate a living retail bank, apply its changes and serve them")
    .addOption(settingOption("PORT", "--port <number>"))
    .addOption(settingOption("HOST", "--host <address>"))
    .addOption(settingOption("DATA_DIR", "--data-dir <dir>"))
    .option("--customers <n>", "customers of the bank", wholeNumber(1), DEFAULT_CUSTOMERS)
    .option("--rate <n>", "changes per second", wholeNumber(1), DEFAULT_RATE)
    .option("--seed <n>", "the same seed makes the same bank", wholeNumber(0), DEFAULT_SEED)
    .option("--fresh", "forget what the data directory held")
    .option("--insecure", "serve addresses beyond loopback although nobody is authenticated")
    .addHelpText(
      "after",
      `
Examples:
  customer360 demo
  customer360 demo --customers 10000 --rate 500 --fresh
  PORT=8080 customer360 demo`,
    )
    .action(async (flags: DemoFlags) => {
      const settings = readSettings({
        port: flags.port,
        host: flags.host,
        dataDir: flags.dataDir,
      });
      const { dataDir } = settings;
      const log = terminalLog(terminal);
      await serveUntil(signal, {
        app: {
          plan: readPlan(BANKING),
          dataDir,
          fresh: flags.fresh === true,
          source: { kind: "demo", seed: flags.seed, customers: flags.customers, rate: flags.rate },
          serve: serveOptions(settings, flags.insecure === true),
          log,
        },
        beside: (url, app, running) => {
          terminal.out(welcome(terminal, url, flags));
          return report(app, { terminal, log, all: flags.customers }, running);
        },
      });
      terminal.out(`stopped; the data are in ${dataDir}\n`);
    });
}
