import type { MemoryProtocol } from "./memory-child.ts";
import { forkChild } from "./remote.ts";
import type { Measure } from "./report.ts";

const MINUTE_MS = 60_000;
const RATE = 50;
const SPANS_MS = [20 * MINUTE_MS, 20 * MINUTE_MS, 20 * MINUTE_MS];

/** Resident memory of the demo after an hour of its changes, in simulated time, and what the last third of it added. */
export async function memoryMeasures(pipelineFile: string): Promise<readonly Measure[]> {
  const child = forkChild<MemoryProtocol>("memory-child");
  try {
    const { residentMb, applied } = await child.ask("live", { pipelineFile, rate: RATE, spansMs: SPANS_MS });
    const [after20 = Number.NaN, after40 = Number.NaN, after60 = Number.NaN] = residentMb;
    return [
      {
        name: "memory of the demo after an hour of simulated time",
        value: after60,
        unit: "MB",
        better: "lower",
        firstStep: 300,
        goal: 300,
        note: `${applied.toLocaleString("en-US")} changes applied; ${after20.toFixed(0)} MB after 20 minutes, ${after40.toFixed(0)} MB after 40`,
      },
      {
        name: "memory the last 20 minutes of that hour added",
        value: after60 - after40,
        unit: "MB",
        better: "lower",
        firstStep: 15,
        goal: 15,
        note: "flat, within what garbage collection leaves",
      },
    ];
  } finally {
    await child.end();
  }
}
