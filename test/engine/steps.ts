import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Measure } from "../../src/bench/report.ts";
import { temporaryFolder } from "../servers/folders.ts";
import { startOurs } from "./contenders.ts";
import { WORDS } from "./contest.ts";
import type { EngineParts } from "./engine.ts";
import { sharesOf, type Profile } from "./profile.ts";
import { turn, until } from "./turns.ts";
import type { Changes } from "./workloads.ts";

const PROFILER = join(import.meta.dirname, "profiler.mjs");
const WARM_UPS = 2;

/** What the processor time of a change goes to in our ingest process: shares of a turn under a profiler, of what a turn without it takes. */
export async function stepMeasures(parts: EngineParts, changes: Changes): Promise<readonly Measure[]> {
  const { place, feed, settings } = parts;
  const file = join(temporaryFolder("profile"), "cpu.json");
  const ours = await startOurs(place, {
    env: { NODE_OPTIONS: `--import=${PROFILER}`, PROFILE_FILE: file },
  });
  try {
    const measures: Measure[] = [];
    const count = settings.records;
    for (let warm = 0; warm < WARM_UPS; warm += 1)
      await turn(ours, { workload: "uniform", count }, { feed, changes });
    for (const workload of ["uniform", "backlog"] as const) {
      const { cpuUs } = await turn(ours, { workload, count }, { feed, changes });
      rmSync(file, { force: true });
      process.kill(ours.pid(), "SIGUSR2");
      await turn(ours, { workload, count }, { feed, changes });
      process.kill(ours.pid(), "SIGUSR2");
      await until(() => existsSync(file), "the profile is written");
      const shares = sharesOf(JSON.parse(readFileSync(file, "utf8")) as Profile);
      for (const [step, share] of shares)
        measures.push({
          name: `CPU per change, ${step}, ${WORDS[workload]}`,
          value: cpuUs * share,
          unit: "us",
          better: "lower",
          firstStep: null,
          goal: null,
          note: `${(share * 100).toFixed(0)} % of ${cpuUs.toFixed(1)} us`,
        });
    }
    return measures;
  } finally {
    await ours.stop();
  }
}
