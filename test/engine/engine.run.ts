import { writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { inOneLine, thisMachine } from "../../src/bench/machine.ts";
import { table } from "../../src/bench/report.ts";
import { missing } from "../servers/binaries.ts";
import { measureEngine } from "./engine.ts";
import { readSettings } from "./settings.ts";

const DAY_MS = 86_400_000;

test("the engine is measured beside what could be used instead", { timeout: DAY_MS }, async () => {
  const reasons = (["kafka", "mongo", "redis"] as const).map(missing).filter((reason) => reason !== null);
  expect(reasons, "servers that cannot be had").toEqual([]);
  const settings = readSettings(process.env);
  const machine = thisMachine();
  const takenAt = new Date().toISOString();
  const startMs = performance.now();
  const { measures, failures } = await measureEngine(settings, (line) => process.stderr.write(`${line}\n`));
  const seconds = Math.round((performance.now() - startMs) / 1_000);
  process.stdout.write(`\n${inOneLine(machine)}; ${seconds} s\n\n${table(measures)}\n\n`);
  writeFileSync(
    settings.json,
    `${JSON.stringify({ takenAt, machine, seconds, settings: { ...settings, only: [...settings.only] }, measures, failures }, null, 2)}\n`,
  );
  process.stderr.write(`written to ${settings.json}\n`);
  expect(failures, "everything could be measured").toEqual([]);
});
