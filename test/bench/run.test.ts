import { expect, test } from "vitest";
import { inOneLine, thisMachine } from "../../src/bench/machine.ts";
import { GROUP_NAMES, runBench } from "../../src/bench/run.ts";
import { BENCH_GROUPS } from "../../src/cli/bench.ts";
import { said } from "../cli/said.ts";

test("the command offers exactly the groups there are", () => {
  expect(BENCH_GROUPS).toEqual(GROUP_NAMES);
});

test("the command says where the engine is measured", async () => {
  const { code, err } = await said("bench", "engine");
  expect(code).toBe(2);
  expect(err).toContain("npm run bench -- engine");
});

test("a run that is asked to stop begins no further group, and still reports", async () => {
  const begun: string[] = [];
  const stop = new AbortController();
  stop.abort();
  const onGroup = (name: string) => void begun.push(name);
  const report = await runBench({ only: [], demoPipeline: "none.yaml", onGroup, signal: stop.signal });
  expect(begun).toEqual([]);
  expect(report.measures).toEqual([]);
  expect(inOneLine(report.machine)).toContain(`Node ${process.versions.node}`);
});

test("the machine is told with the versions its figures depend on", () => {
  const { versions, cores } = thisMachine();
  expect(cores).toBeGreaterThan(0);
  expect(Object.values(versions).every((version) => /^\d+\.\d+\.\d+$/.test(version))).toBe(true);
});
