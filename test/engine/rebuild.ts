import { execFile } from "node:child_process";
import { join } from "node:path";
import type { Measure } from "../../src/bench/report.ts";
import { ourEnvironment, pipelineFile, topicOf } from "./contenders.ts";
import type { EngineParts } from "./engine.ts";
import { Changes } from "./workloads.ts";

const MAIN = join(import.meta.dirname, "../../dist/main.js");
const AT_ONCE = 10_000;

/** How long it takes to make a store anew from a topic: `customer360 replay --into` as an operator runs it. */
export async function rebuildMeasures({
  place,
  feed,
  settings,
  tell,
}: EngineParts): Promise<readonly Measure[]> {
  const topic = topicOf("rebuild");
  const changes = new Changes();
  await feed.create([topic]);
  for (let sent = 0; sent < settings.rebuild; sent += AT_ONCE)
    await feed.send(topic, changes.next("uniform", Math.min(AT_ONCE, settings.rebuild - sent)));
  const startMs = performance.now();
  const env = { ...process.env, ...ourEnvironment(place, "rebuild") };
  const into = `${place.mongoUri}rebuilt`;
  await new Promise<void>((resolve, reject) => {
    const args = [MAIN, "replay", pipelineFile(topic), "--into", into];
    execFile(process.execPath, args, { env }, (error, out, err) => {
      tell(`${err}${out}`.trim());
      if (error === null) resolve();
      else reject(new Error(`replay failed: ${err}`));
    });
  });
  const seconds = (performance.now() - startMs) / 1_000;
  const rows = place.client.db("rebuilt").collection<{ readonly _id: string }>("customers");
  const [[customer, note] = [0, ""]] = [...changes.expected].slice(-1);
  const found = JSON.stringify(await rows.findOne({ _id: String(customer) }));
  if (!found.includes(JSON.stringify(note).slice(1, -1)))
    throw new Error(`customer ${customer} was not rebuilt`);
  const whole = (value: number) => Math.round(value).toLocaleString("en-US");
  return [
    {
      name: `a rebuild of ${whole(settings.rebuild)} changes beside, by replay --into`,
      value: seconds,
      unit: "s",
      better: "lower",
      firstStep: null,
      goal: null,
      note: `${whole(settings.rebuild / seconds)} changes/s, start of the process included; ${whole(changes.expected.size)} customers`,
    },
  ];
}
