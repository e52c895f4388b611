import { median } from "../../src/bench/measure.ts";
import type { Measure } from "../../src/bench/report.ts";
import type { Contender } from "./contenders.ts";
import type { Feed } from "./feed.ts";
import type { Settings } from "./settings.ts";
import { turn, verify, type Turn } from "./turns.ts";
import { residentMb } from "./usage.ts";
import { Changes, CUSTOMERS, type Workload } from "./workloads.ts";

/** Who takes part, and how. */
export interface Contest {
  readonly contenders: readonly Contender[];
  readonly feed: Feed;
  readonly settings: Settings;
  readonly tell: (line: string) => void;
}

/** What is measured. */
export type Measured = Exclude<Workload, "everybody">;

const WORKLOADS: readonly Measured[] = ["uniform", "backlog", "hot"];

/** What of a workload is said in the table. */
export const WORDS: Readonly<Record<Measured, string>> = {
  uniform: "keys spread evenly",
  backlog: "a backlog with eight changes per customer",
  hot: "1 % hot customers",
};

/** What was measured: for each contender and workload its turns, and the changes each was given. */
export interface Contested {
  readonly turns: ReadonlyMap<string, ReadonlyMap<Workload, readonly Turn[]>>;
  readonly changes: ReadonlyMap<string, Changes>;
  /** Resident memory after the first round and after the last, megabytes. */
  readonly memory: ReadonlyMap<string, readonly [first: number, last: number]>;
}

/** Fills the stores, then lets the contenders take turns, round by round, each round beginning with another one; the first round warms up and does not count. */
export async function contest({ contenders, feed, settings, tell }: Contest): Promise<Contested> {
  const turns = new Map(contenders.map(({ name }) => [name, new Map<Workload, Turn[]>()]));
  const changes = new Map(contenders.map(({ name }) => [name, new Changes()]));
  const memory = new Map<string, readonly [number, number]>();
  for (const contender of contenders) {
    const own = changes.get(contender.name);
    if (own === undefined) continue;
    const filled = await turn(contender, { workload: "everybody", count: CUSTOMERS }, { feed, changes: own });
    tell(`everybody new, ${contender.name}: ${filled.rate.toFixed(0)}/s, ${filled.cpuUs.toFixed(1)} us`);
  }
  for (let round = 0; round <= settings.rounds; round += 1)
    for (const workload of WORKLOADS)
      for (const [at] of contenders.entries()) {
        const contender = contenders[(at + round) % contenders.length];
        const own = changes.get(contender?.name ?? "");
        if (contender === undefined || own === undefined) continue;
        const taken = await turn(contender, { workload, count: settings.records }, { feed, changes: own });
        const { rate, cpuUs } = taken;
        tell(`round ${round}, ${workload}, ${contender.name}: ${rate.toFixed(0)}/s, ${cpuUs.toFixed(1)} us`);
        if (workload === "hot") {
          const now = residentMb(contender.pid());
          memory.set(contender.name, [memory.get(contender.name)?.[0] ?? now, now]);
        }
        if (round === 0) continue;
        const of = turns.get(contender.name);
        of?.set(workload, [...(of.get(workload) ?? []), taken]);
      }
  for (const contender of contenders) {
    const own = changes.get(contender.name);
    // Only ours looks at the order of changes whose customer is on several partitions.
    if (own !== undefined && contender.name === "ours") await verify(contender, own);
  }
  return { turns, changes, memory };
}

interface Bars {
  readonly rate: number | null;
  readonly cpu: number | null;
}

const BARS: Readonly<Record<string, Readonly<Record<Measured, Bars>>>> = {
  plain: {
    uniform: { rate: 3, cpu: 0.5 },
    backlog: { rate: 3, cpu: 0.5 },
    hot: { rate: 3, cpu: 0.5 },
  },
  sink: {
    uniform: { rate: 1, cpu: null },
    backlog: { rate: 3, cpu: null },
    hot: { rate: 1, cpu: null },
  },
};

const NAMES: Readonly<Record<string, string>> = {
  plain: "a loop of kafkajs, JSON.parse and one upsert per record",
  sink: "the mongo-kafka sink connector",
};

/** Ours against each of the others, by workload, as the medians of the rounds' ratios. */
export function contestMeasures({ turns }: Contested): readonly Measure[] {
  const ours = turns.get("ours");
  return [...turns.keys()]
    .filter((name) => name !== "ours")
    .flatMap((name) =>
      WORKLOADS.flatMap((workload) => {
        const [mine = [], theirs = []] = [ours?.get(workload), turns.get(name)?.get(workload)];
        const bars = BARS[name]?.[workload] ?? { rate: null, cpu: null };
        const row = { what: `${NAMES[name]}, ${WORDS[workload]}`, mine, theirs };
        return [ratio(row, "rate", bars.rate), ratio(row, "cpuUs", bars.cpu)];
      }),
    );
}

function ratio(
  {
    what,
    mine,
    theirs,
  }: { readonly what: string; readonly mine: readonly Turn[]; readonly theirs: readonly Turn[] },
  of: keyof Turn,
  goal: number | null,
): Measure {
  const ratios = mine.flatMap((one, at) => {
    const other = theirs[at];
    return other === undefined ? [] : [one[of] / other[of]];
  });
  const middle = (list: readonly Turn[]) => median(list.map((one) => one[of]));
  const unit = of === "rate" ? "changes/s" : "us CPU a change";
  const shown = (value: number) =>
    of === "rate" ? Math.round(value).toLocaleString("en-US") : value.toFixed(1);
  return {
    name: `${of === "rate" ? "changes per second" : "CPU per change"} against ${what}`,
    value: median(ratios),
    unit: "ratio",
    better: of === "rate" ? "higher" : "lower",
    firstStep: goal,
    goal,
    note:
      `${shown(middle(mine))} against ${shown(middle(theirs))} ${unit}; ` +
      `rounds ${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)}`,
  };
}

/** Memory of the contenders after their last turn, beside that after their first round. */
export function memoryMeasures({ memory }: Contested): readonly Measure[] {
  return [...memory].map(([name, [first, last]]) => ({
    name: `memory of ${name === "ours" ? "our ingest process" : NAMES[name]}`,
    value: last,
    unit: "MB" as const,
    better: "lower" as const,
    firstStep: name === "ours" ? 350 : null,
    goal: name === "ours" ? 350 : null,
    note: `resident; ${first.toFixed(0)} MB after the first round`,
  }));
}
