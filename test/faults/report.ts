import type { Injected, Outcome } from "./run.ts";
import type { Verdict } from "./verdict.ts";

const EXAMPLES = 5;

function quantile(sorted: readonly number[], part: number): number {
  return sorted[Math.min(sorted.length - 1, Math.ceil(part * sorted.length) - 1)] ?? 0;
}

function recoveries(injected: readonly Injected[]): readonly number[] {
  return injected.map(({ recoveryMs }) => recoveryMs).sort((a, b) => a - b);
}

function line(name: string, ...cells: readonly (string | number)[]): string {
  return `  ${name.padEnd(24)}${cells.map((cell) => String(cell).padStart(12)).join("")}`;
}

function byKind(injected: readonly Injected[]): readonly string[] {
  const kinds = [...new Set(injected.map(({ kind }) => kind))].sort();
  return kinds.map((kind) => {
    const these = recoveries(injected.filter((one) => one.kind === kind));
    return line(kind, these.length, quantile(these, 0.5), quantile(these, 1));
  });
}

function breaches({ lost, doubled, silentGaps, backward, wrong }: Verdict): readonly string[] {
  const lists = {
    lost,
    doubled,
    "silent gaps": silentGaps,
    "backward revisions": backward,
    "otherwise wrong": wrong,
  };
  return Object.entries(lists).flatMap(([name, found]) => [
    line(name, found.length),
    ...found.slice(0, EXAMPLES).map((text) => `      ${text}`),
  ]);
}

/** The table of a run. */
export function report({ injected, verdict, produced, reconnects, seconds, pace }: Outcome): string {
  const all = recoveries(injected);
  const killed = recoveries(injected.filter(({ kind }) => kind === "ingest-kill" || kind === "api-kill"));
  return [
    line("fault", "times", "median ms", "longest ms"),
    ...byKind(injected),
    line("all", injected.length, quantile(all, 0.5), quantile(all, 1)),
    "",
    ...breaches(verdict),
    line("longest recovery, ms", quantile(all, 1)),
    line("p99 after kill -9, ms", quantile(killed, 0.99)),
    "",
    `  ${produced} records in Kafka, ${verdict.toldAgain} of them delivered again and counted twice; ${verdict.frames} frames,`,
    `  ${verdict.gaps} gaps that were told, ${reconnects} connections made anew; ${seconds} s,`,
    `  fed with ${pace.fed} changes a second; with nothing in the way ${pace.possible} went through`,
  ].join("\n");
}
