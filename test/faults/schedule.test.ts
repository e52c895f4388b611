import { expect, test } from "vitest";
import { BY_NAME, KINDS, schedule, type Kind } from "./schedule.ts";
import { readSettings } from "./settings.ts";

test("the same seed gives the same faults, another seed others", () => {
  const one = schedule({ seed: 7, count: 60 });
  expect(schedule({ seed: 7, count: 60 })).toEqual(one);
  expect(schedule({ seed: 8, count: 60 })).not.toEqual(one);
});

test("each kind comes once before any comes again, and those that have to be named only when they are", () => {
  const kinds = (Object.keys(KINDS) as Kind[]).filter((kind) => !BY_NAME.includes(kind));
  const faults = schedule({ seed: 1, count: 2 * kinds.length }).map(({ kind }) => kind);
  expect(faults.slice(0, kinds.length).toSorted()).toEqual(kinds.toSorted());
  expect(faults.slice(kinds.length).toSorted()).toEqual(kinds.toSorted());
  for (const { kind } of schedule({ seed: 1, count: 3, kinds: BY_NAME })) expect(BY_NAME).toContain(kind);
});

test("a kind or a plant that does not exist is refused, with those that do", () => {
  expect(() => readSettings({ CUSTOMER360_FAULTS_KINDS: "ingest-kill,earthquake" })).toThrow(
    /earthquake.*redis-wipe/,
  );
  expect(() => readSettings({ CUSTOMER360_FAULTS_PLANT: "weeds" })).toThrow(/weeds.*redis-dollar/);
  expect(() => readSettings({ CUSTOMER360_FAULTS_COUNT: "many" })).toThrow(/COUNT/);
});
