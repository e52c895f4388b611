import { expect, test } from "vitest";
import { SubscriberLog, type Frame, type Wrong } from "./subscriber-log.ts";

const shown = (customerId: string, revision: number) => ({
  ...{ customerId, revision, score: null, spend: "1.00", payments: 1 },
});
const snapshot = (...customers: readonly (readonly [string, number])[]): Frame => ({
  __typename: "CustomerSnapshot",
  customers: customers.map(([id, revision]) => shown(id, revision)),
  complete: true,
});
const change = (id: string, revision: number): Frame => ({
  __typename: "CustomerChange",
  customer: shown(id, revision),
  revision,
});
const gap: Frame = { __typename: "Gap", reason: "RETENTION" };

function wrongs(frames: readonly Frame[], isEvery = true): readonly Wrong[] {
  const log = new SubscriberLog({ name: "one", isEvery, isWhole: false });
  for (const frame of frames) log.take(frame);
  return log.breaches.map(({ wrong }) => wrong);
}

test("a snapshot and exactly what follows it is fine, and so is a gap with a snapshot behind it", () => {
  const first = [snapshot(["watched-1", 3]), change("watched-1", 4), change("watched-1", 5)];
  expect(wrongs([...first, gap, snapshot(["watched-1", 9]), change("watched-1", 10)])).toEqual([]);
});

test("a missing revision of a watched customer is a silent gap where every update is asked for", () => {
  const frames = [snapshot(["watched-1", 3]), change("watched-1", 5)];
  expect(wrongs(frames)).toEqual(["silent gap"]);
  expect(wrongs(frames, false)).toEqual([]);
});

test("the first revision of a watched customer must not be missing either", () => {
  expect(wrongs([snapshot(), change("watched-1", 2)])).toEqual(["silent gap"]);
});

test("a revision twice is doubled, and one that goes back is backward", () => {
  expect(wrongs([snapshot(["c1", 3]), change("c1", 3), change("c1", 2)])).toEqual(["doubled", "backward"]);
});

test("a snapshot that shows less than was known, or leaves a customer out, is wrong", () => {
  const before = [snapshot(["c1", 3], ["c2", 1]), gap];
  expect(wrongs([...before, snapshot(["c1", 2], ["c2", 1])])).toEqual(["backward"]);
  expect(wrongs([...before, snapshot(["c1", 3])])).toEqual(["wrong state"]);
});

test("a change where a snapshot is owed is a silent gap", () => {
  expect(wrongs([snapshot(["c1", 3]), gap, change("c1", 4)])).toEqual(["silent gap"]);
  expect(wrongs([change("c1", 1)])).toEqual(["silent gap"]);
});
