import { expect, test } from "vitest";
import { missing } from "../servers/binaries.ts";
import { report } from "./report.ts";
import { run } from "./run.ts";
import { readSettings } from "./settings.ts";
import { isSound } from "./verdict.ts";

const DAY_MS = 86_400_000;

test(
  "nothing is lost, doubled or silently skipped whatever dies on the way",
  { timeout: DAY_MS },
  async () => {
    const reasons = (["kafka", "mongo", "redis"] as const).map(missing).filter((reason) => reason !== null);
    expect(reasons, "servers that cannot be had").toEqual([]);
    const outcome = await run(readSettings(process.env), (line) => process.stderr.write(`${line}\n`));
    process.stderr.write(`\n${report(outcome)}\n\n`);
    expect(isSound(outcome.verdict), "nothing is wrong").toBe(true);
  },
);
