import { expect, test } from "vitest";
import { compareClocks } from "../../src/doctor/clocks.ts";
import { reportOn, type Finding } from "../../src/doctor/report.ts";

const NOW = 1_700_000_000_000;

/** What is found when a server answers with a time, so many milliseconds after it was asked. */
async function found(answer: number | null, tripMs = 0): Promise<Finding | undefined> {
  const findings: Finding[] = [];
  let nowMs = NOW;
  const clock = { nowMs: () => nowMs, wait: () => Promise.resolve() };
  await compareClocks(
    reportOn("redis", (finding) => findings.push(finding)),
    clock,
    () => {
      nowMs += tripMs;
      return Promise.resolve(answer);
    },
  );
  return findings[0];
}

test.each([
  [0, "ok"],
  [1_999, "ok"],
  [-1_999, "ok"],
  [3_000, "warning"],
  [-3_000, "warning"],
  [61_000, "wrong"],
  [-61_000, "wrong"],
])("a clock %d ms apart is %s", async (apartMs, state) => {
  expect((await found(NOW + apartMs))?.state).toBe(state);
});

test("what the way to the server may have taken is not held against its clock", async () => {
  expect(await found(NOW, 6_000)).toMatchObject({
    state: "ok",
    found: "behind ours by 3000 ms (asking took 6000 ms)",
  });
  expect((await found(NOW, 1_000))?.state).toBe("ok");
  expect((await found(NOW - 6_000, 1_000))?.state).toBe("warning");
});

test("a server that tells no time is no fault", async () => {
  expect((await found(null))?.state).toBe("ok");
});
