import { median } from "../../src/bench/measure.ts";
import type { Measure } from "../../src/bench/report.ts";
import { startOurs, type Ours } from "./contenders.ts";
import { WORDS, type Contested, type Measured } from "./contest.ts";
import type { EngineParts } from "./engine.ts";
import { countersOf } from "./our-metrics.ts";
import { turn, until, verify, type Turn } from "./turns.ts";
import type { Changes } from "./workloads.ts";

/** Two ingest processes of one group against the one that there was: their rate, what they cost, and how often they got in each other's way. */
export async function sharingMeasures(
  first: Ours,
  { turns }: Contested,
  { parts, changes }: { readonly parts: EngineParts; readonly changes: Changes },
): Promise<readonly Measure[]> {
  const { place, feed, settings, tell } = parts;
  const second = await startOurs(place, { at: 1 });
  const both = [first, second];
  const counted = async (name: string) =>
    (await Promise.all(both.map(async ({ url }) => (await countersOf(url))(name)))).reduce(
      (a, b) => a + b,
      0,
    );
  try {
    await until(async () => {
      const shares = await Promise.all(
        both.map(async ({ url }) => (await countersOf(url))("kafka_partitions")),
      );
      return shares.every((share) => share > 0);
    }, "both processes have partitions");
    const measures: Measure[] = [];
    await turn(first, { workload: "uniform", count: settings.records }, { feed, changes });
    for (const workload of ["uniform", "hot"] as const) {
      const before = await Promise.all([counted("save_conflicts_total"), counted("saved_customers_total")]);
      const taken: Turn[] = [];
      for (let round = 0; round < settings.rounds; round += 1) {
        const pids = both.map((one) => one.pid());
        taken.push(await turn(first, { workload, count: settings.records }, { feed, changes, pids }));
        tell(`two processes, ${workload}: ${taken.at(-1)?.rate.toFixed(0)}/s`);
      }
      const after = await Promise.all([counted("save_conflicts_total"), counted("saved_customers_total")]);
      const conflicts = (after[0] - before[0]) / Math.max(1, after[1] - before[1]);
      measures.push(...told(workload, taken, { alone: turns.get("ours")?.get(workload) ?? [], conflicts }));
    }
    await verify(first, changes);
    return measures;
  } finally {
    await second.stop();
  }
}

function told(
  workload: Measured,
  taken: readonly Turn[],
  { alone, conflicts }: { readonly alone: readonly Turn[]; readonly conflicts: number },
): readonly Measure[] {
  const rate = (list: readonly Turn[]) => median(list.map((one) => one.rate));
  const cpu = (list: readonly Turn[]) => median(list.map((one) => one.cpuUs)).toFixed(1);
  const shown = (value: number) => Math.round(value).toLocaleString("en-US");
  const free = { better: "higher", firstStep: null, goal: null } as const;
  return [
    {
      ...free,
      name: `changes per second of two ingest processes against one, ${WORDS[workload]}`,
      value: rate(taken) / rate(alone),
      unit: "ratio",
      note: `${shown(rate(taken))} against ${shown(rate(alone))} changes/s, ${cpu(taken)} against ${cpu(alone)} us CPU a change; every document as it was last sent`,
    },
    {
      ...free,
      name: `conflicts of two ingest processes, ${WORDS[workload]}`,
      value: conflicts * 100,
      unit: "%",
      better: "lower",
      note: "documents the other process saved first, of those saved",
    },
  ];
}
