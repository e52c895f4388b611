import { readFileSync } from "node:fs";
import { createApp } from "../app.ts";
import { keepHeapSmall } from "../cli/heap.ts";
import { silentLog } from "../log.ts";
import { loadPlan } from "../plan/load.ts";
import { answerParent, collectGarbage } from "./remote.ts";
import type { Common } from "./remote.ts";
import { scratchFolder } from "./scratch.ts";
import { steppingClock } from "./stepping-clock.ts";

/** What the process that lives the demo's hour can be asked for. */
export type MemoryProtocol = Common & {
  /** Runs the demo for so many equal spans of its own time; answers the resident megabytes after each. */
  readonly live: {
    readonly ask: {
      readonly pipelineFile: string;
      readonly rate: number;
      readonly spansMs: readonly number[];
    };
    readonly answer: { readonly residentMb: readonly number[]; readonly applied: number };
  };
};

const STEP_MS = 4_000;
const LOOK_MS = 20;

async function live({
  pipelineFile,
  rate,
  spansMs,
}: MemoryProtocol["live"]["ask"]): Promise<MemoryProtocol["live"]["answer"]> {
  keepHeapSmall();
  const scratch = scratchFolder();
  const clock = steppingClock(Date.UTC(2026, 0, 1), STEP_MS);
  const app = await createApp({
    plan: loadPlan(readFileSync(pipelineFile, "utf8"), pipelineFile),
    dataDir: scratch.path,
    fresh: true,
    source: { kind: "demo", customers: 1_000, rate, seed: 2_026 },
    serve: { host: "127.0.0.1", port: 0, insecure: false, graphiql: true, cursorSecret: null },
    log: silentLog,
    clock,
  });
  await app.start();
  const residentMb: number[] = [];
  let untilMs = clock.nowMs();
  for (const spanMs of spansMs) {
    untilMs += spanMs;
    while (clock.nowMs() < untilMs) await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    clock.pause();
    await collectGarbage();
    residentMb.push(process.memoryUsage.rss() / 1e6);
    clock.resume();
  }
  const { tallies } = await app.counts();
  const applied = tallies.filter(({ kind, label }) => kind === "verdict" && label === "applied");
  clock.pause();
  await app.stop();
  scratch.remove();
  return { residentMb, applied: applied.reduce((sum, { count }) => sum + count, 0) };
}

answerParent<MemoryProtocol>({ live });
