import type { Plan } from "../customer/plan.ts";
import { loadPlan } from "../plan/load.ts";
import { durableMeasures } from "./durable.ts";
import { fanoutMeasures } from "./fanout.ts";
import { growthMeasures } from "./growth.ts";
import { ingestMeasures } from "./ingest.ts";
import { thisMachine } from "./machine.ts";
import type { Machine } from "./machine.ts";
import { memoryMeasures } from "./memory.ts";
import { queryMeasures } from "./queries.ts";
import { BENCH_PIPELINE } from "./records.ts";
import type { Measure } from "./report.ts";
import { screenMeasures } from "./screen.ts";

/** What a run found. */
export interface BenchReport {
  readonly takenAt: string;
  readonly machine: Machine;
  readonly seconds: number;
  readonly measures: readonly Measure[];
  /** Groups that broke off: a delivery was lost, an answer was another one, a process died. */
  readonly failures: readonly { readonly group: string; readonly reason: string }[];
}

/** What to measure. */
export interface BenchOptions {
  /** Names of groups; empty for all. */
  readonly only: readonly string[];
  /** The demo's pipeline file, for the measure of its memory. */
  readonly demoPipeline: string;
  /** Told of each group as it begins. */
  readonly onGroup: (name: string) => void;
  /** Stops the run after the group in hand. */
  readonly signal: AbortSignal;
}

type Group = (plan: Plan, options: BenchOptions) => Promise<readonly Measure[]>;

const GROUPS: Readonly<Record<string, Group>> = {
  ingest: ingestMeasures,
  durable: durableMeasures,
  growth: growthMeasures,
  queries: queryMeasures,
  fanout: fanoutMeasures,
  screen: screenMeasures,
  memory: (_, { demoPipeline }) => memoryMeasures(demoPipeline),
};

/** Names of what can be measured on its own, in order. */
export const GROUP_NAMES: readonly string[] = Object.keys(GROUPS);

/** Takes the measures, one group after the other; what breaks one does not stop the others. */
export async function runBench(options: BenchOptions): Promise<BenchReport> {
  const machine = thisMachine();
  const startMs = Date.now();
  const plan = loadPlan(BENCH_PIPELINE, "bench.yaml");
  const measures: Measure[] = [];
  const failures: { group: string; reason: string }[] = [];
  for (const [name, group] of Object.entries(GROUPS)) {
    if (options.signal.aborted) break;
    if (options.only.length > 0 && !options.only.includes(name)) continue;
    options.onGroup(name);
    try {
      measures.push(...(await group(plan, options)));
    } catch (error) {
      failures.push({
        group: name,
        reason: error instanceof Error ? (error.stack ?? error.message) : String(error),
      });
    }
  }
  const seconds = Math.round((Date.now() - startMs) / 1_000);
  return { takenAt: new Date(startMs).toISOString(), machine, seconds, measures, failures };
}
