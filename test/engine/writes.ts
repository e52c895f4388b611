import type { Measure } from "../../src/bench/report.ts";
import { startOurs } from "./contenders.ts";
import { WORDS } from "./contest.ts";
import { startCountingProxy } from "./counting-proxy.ts";
import type { EngineParts } from "./engine.ts";
import { countersOf } from "./our-metrics.ts";
import { turn } from "./turns.ts";
import type { Changes } from "./workloads.ts";

/** How many documents the server is told to write for each customer that a batch brings changes of; counted on the way to it. */
export async function writeMeasures(
  { place, feed, settings }: EngineParts,
  changes: Changes,
): Promise<readonly Measure[]> {
  const { hostname, port } = new URL(place.mongoUri);
  if (hostname !== "127.0.0.1") return [];
  const proxy = await startCountingProxy(Number(port));
  const ours = await startOurs(place, { mongoUri: `mongodb://127.0.0.1:${proxy.port}/` });
  try {
    const measures: Measure[] = [];
    await turn(ours, { workload: "uniform", count: settings.records }, { feed, changes });
    for (const workload of ["uniform", "backlog"] as const) {
      const [saved, written] = [(await countersOf(ours.url))("saved_customers_total"), proxy.writes()];
      await turn(ours, { workload, count: settings.records }, { feed, changes });
      const customers = (await countersOf(ours.url))("saved_customers_total") - saved;
      const now = proxy.writes();
      const of = (name: string) => (now.get(name) ?? 0) - (written.get(name) ?? 0);
      const others = [...now.keys()]
        .filter((name) => name !== "customers")
        .reduce((sum, name) => sum + of(name), 0);
      measures.push({
        name: `writes of documents per customer and batch, ${WORDS[workload]}`,
        value: of("customers") / customers,
        unit: "ratio",
        better: "lower",
        firstStep: 1,
        goal: 1,
        note:
          `${of("customers")} writes for ${settings.records} changes, ${(of("customers") / settings.records).toFixed(2)} a change; ` +
          `${others} more of checkpoints and counts; counted on the wire`,
      });
    }
    return measures;
  } finally {
    await ours.stop();
    await proxy.stop();
  }
}
