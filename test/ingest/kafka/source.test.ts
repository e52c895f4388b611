import { afterEach, expect, test } from "vitest";
import { codeOf, Customer360Error } from "../../../src/errors.ts";
import type { KafkaLimits } from "../../../src/ingest/kafka/group.ts";
import { PLAINTEXT } from "../../../src/ingest/kafka/client/security.ts";
import { kafkaSource, type KafkaSource } from "../../../src/ingest/kafka/source.ts";
import type { Checkpoint } from "../../../src/ingest/source.ts";
import { silentLog } from "../../../src/log.ts";
import { kafkaDouble, type KafkaDouble } from "../../helpers/kafka-double.ts";
import { manualClock } from "../../helpers/manual-clock.ts";

const P0 = { topic: "t", partition: 0 } as const;
const P1 = { topic: "t", partition: 1 } as const;
const FOREVER = new AbortController().signal;

const opened: KafkaSource[] = [];
afterEach(async () => {
  for (const source of opened.splice(0)) await source.close();
});

async function open(
  double: KafkaDouble,
  options: { readonly limits?: Partial<KafkaLimits>; readonly checkpoints?: readonly Checkpoint[] } = {},
) {
  const clock = manualClock();
  const source = kafkaSource({
    brokers: ["nowhere:1"],
    security: PLAINTEXT,
    groupId: "g",
    topics: ["t"],
    clock,
    log: silentLog,
    limits: options.limits ?? {},
    connect: () => Promise.resolve(double.client),
  });
  opened.push(source);
  await source.start(() => Promise.resolve(options.checkpoints ?? []));
  return { source, clock };
}

const offsetsOf = async (source: KafkaSource) =>
  (await source.next(FOREVER))?.map(({ partition, records, nextOffset }) => [
    partition,
    records.map(({ offset }) => Number(offset)),
    nextOffset,
  ]);

test("a partition is paused until it was set to our own checkpoint and the group knows of it", async () => {
  const double = kafkaDouble({ ...P0, high: 9 });
  double.committed.set("t/0", { ...P0, offset: 7n, life: 0, witness: null });
  await open(double, { checkpoints: [{ ...P0, nextOffset: "5" }] });
  expect(double.said).toEqual(["pause t/0", "seek t/0 5", "commit t/0 5 life 0", "resume t/0"]);
});

test("a hole that compaction left is passed over without a word", async () => {
  const double = kafkaDouble({ ...P0, high: 20 });
  const { source } = await open(double);
  double.fetch(P0, [0, 1, 2]);
  double.fetch(P0, [7, 9]);
  double.fetch(P0, [10]);
  expect(await offsetsOf(source)).toEqual([[0, [0, 1, 2], "3"]]);
  expect(await offsetsOf(source)).toEqual([[0, [7, 9, 10], "11"]]);
  expect(source.health().discontinuities).toBe(0);
  expect(double.said.slice(-2)).toEqual(["pause t/0", "resume t/0"]);
});

test("what an earlier place of the partition brings late is dropped, and read from where we are", async () => {
  const double = kafkaDouble({ ...P0, high: 20 });
  const { source } = await open(double);
  double.fetch(P0, [0, 1, 2]);
  double.fetch(P0, [1, 2]);
  expect(await offsetsOf(source)).toEqual([[0, [0, 1, 2], "3"]]);
  await expect.poll(() => double.said.slice(-2)).toEqual(["seek t/0 3", "resume t/0"]);
  double.fetch(P0, [3]);
  expect(await offsetsOf(source)).toEqual([[0, [3], "4"]]);
  expect(source.health().discontinuities).toBe(0);
});

test("a jump over records that are gone is declared before anything behind it is delivered", async () => {
  const double = kafkaDouble({ ...P0, high: 20 });
  const { source } = await open(double);
  double.fetch(P0, [0, 1, 2]);
  await source.next(FOREVER);
  double.marks.set("t/0", { ...P0, low: 10n, high: 20n });
  double.fetch(P0, [10, 11]);
  expect(await offsetsOf(source)).toEqual([[0, [10, 11], "12"]]);
  expect(source.health().latestDiscontinuities).toEqual([{ kind: "removed", ...P0, from: "3", to: "10" }]);
  expect(source.unreadable().map(({ origin }) => origin)).toEqual([{ ...P0, offset: "3" }]);
});

test("nothing of a lost partition is delivered, taken or committed any more", async () => {
  const double = kafkaDouble({ ...P0, high: 9 }, { ...P1, high: 9 });
  const { source, clock } = await open(double, { limits: { commitMs: 100 } });
  double.fetch(P0, [0, 1]);
  double.fetch(P1, [0]);
  double.ears().revoked();
  expect(double.fetch(P0, [2])).toBe(false);
  double.assign(P1);
  await expect.poll(() => double.said.at(-1)).toBe("resume t/1");
  double.fetch(P1, [0]);
  expect(await offsetsOf(source)).toEqual([[1, [0], "1"]]);
  await source.acknowledge([
    { ...P0, nextOffset: "2" },
    { ...P1, nextOffset: "1" },
  ]);
  await clock.advance(100);
  await expect
    .poll(() => double.said.filter((one) => one.startsWith("commit")).at(-1))
    .toBe("commit t/1 1 life 0");
  expect(double.said).not.toContain("commit t/0 2 life 0");
});

test("an assignment that is over before it was taken up touches nothing", async () => {
  const double = kafkaDouble({ ...P0, high: 9 }, { ...P1, high: 9 });
  const { source } = await open(double);
  double.assign(P0);
  double.assign(P1);
  await expect.poll(() => double.said.at(-1)).toBe("resume t/1");
  expect(source.health()).toMatchObject({ partitions: 1, state: "catching up" });
  expect(double.said.filter((one) => one === "seek t/0 0")).toHaveLength(1);
  expect(double.fetch(P0, [0])).toBe(false);
});

test("an outage drops what was fetched, and the next call begins a new session at the checkpoints of then", async () => {
  const double = kafkaDouble({ ...P0, high: 9 });
  const { source } = await open(double);
  double.fetch(P0, [0, 1]);
  double.ears().crashed(Object.assign(new Error("gone"), { name: "KafkaJSConnectionError" }));
  expect(source.health().state).toBe("not connected");
  const failure: unknown = await source.next(FOREVER).catch((error: unknown) => error);
  expect(codeOf(failure)).toBe("SOURCE_UNAVAILABLE");
  const next = offsetsOf(source);
  await expect.poll(() => source.health().sessions).toBe(2);
  double.fetch(P0, [0, 1]);
  expect(await next).toEqual([[0, [0, 1], "2"]]);
});

/** Reads the first two of three records, and finds itself in a new session in which they were put aside for what `then` says. */
async function afterOutage(then: (double: KafkaDouble) => void) {
  const double = kafkaDouble({ ...P0, high: 3 });
  const checkpoints: Checkpoint[] = [];
  const { source } = await open(double, { checkpoints });
  double.fetch(P0, [0, 1]);
  await source.next(FOREVER);
  checkpoints.push({ ...P0, nextOffset: "2" });
  await source.acknowledge(checkpoints);
  double.ears().crashed(Object.assign(new Error("gone"), { name: "KafkaJSConnectionError" }));
  await source.next(FOREVER).catch(() => null);
  then(double);
  const next = offsetsOf(source);
  await expect.poll(() => source.health().sessions).toBe(2);
  return { double, source, next };
}

test("after an outage the record before the checkpoint is looked at again, and where it is the same, reading goes on behind it", async () => {
  const { double, source, next } = await afterOutage(() => {});
  expect(double.said.filter((said) => said.startsWith("seek")).at(-1)).toBe("seek t/0 1");
  double.fetch(P0, [1, 2]);
  expect(double.said.at(-1)).toBe("seek t/0 2");
  double.fetch(P0, [2]);
  expect(await next).toEqual([[0, [2], "3"]]);
  expect(source.health().discontinuities).toBe(0);
});

test("where another record lies before the checkpoint, although the topic goes on behind it, it is read anew and said so", async () => {
  const { double, source, next } = await afterOutage((cluster) => (cluster.stamp = 9));
  double.fetch(P0, [1, 2]);
  await expect.poll(() => double.said.at(-1)).toBe("resume t/0");
  expect(double.said).toContain("commit t/0 0 life 1");
  double.fetch(P0, [0, 1, 2]);
  expect(await next).toEqual([[0, [0, 1, 2], "3"]]);
  expect(source.health().latestDiscontinuities).toEqual([{ kind: "replaced", ...P0, from: "2", to: "0" }]);
});

test("where the record before the checkpoint is gone, as from a compacted topic, reading goes on", async () => {
  const { double, source, next } = await afterOutage(() => {});
  double.fetch(P0, [2]);
  double.fetch(P0, [2]);
  expect(await next).toEqual([[0, [2], "3"]]);
  expect(source.health().discontinuities).toBe(0);
});

test("another process goes on by what the group was told of the record before the checkpoint", async () => {
  const double = kafkaDouble({ ...P0, high: 9 });
  const told = { ...P0, offset: 5n, life: 0, witness: "0123456789abcdef" };
  double.committed.set("t/0", told);
  const { source } = await open(double, { checkpoints: [{ ...P0, nextOffset: "5" }] });
  expect(double.said).toContain("seek t/0 4");
  double.fetch(P0, [4, 5]);
  await expect.poll(() => source.health().latestDiscontinuities).toMatchObject([{ kind: "replaced" }]);
});

test.each([
  ["a codec nobody knows", "KafkaJSNotImplemented", {}],
  [
    "a broker that denies the topic",
    "KafkaJSProtocolError",
    { type: "TOPIC_AUTHORIZATION_FAILED", retriable: true },
  ],
  ["a fault of the client", "RangeError", {}],
])("%s ends ingest", async (_what, name, facts) => {
  const double = kafkaDouble({ ...P0, high: 9 });
  const { source } = await open(double);
  double.ears().crashed(Object.assign(new Error("no"), { name }, facts));
  const failure: unknown = await source.next(FOREVER).catch((error: unknown) => error);
  expect(codeOf(failure)).toBe("SOURCE_FAILED");
});

test("a failing store is no failure of Kafka's", async () => {
  const double = kafkaDouble({ ...P0, high: 9 });
  const outage = new Customer360Error("STORE_UNAVAILABLE", "away");
  const source = kafkaSource({
    brokers: [],
    security: PLAINTEXT,
    groupId: "g",
    topics: ["t"],
    clock: manualClock(),
    log: silentLog,
    connect: () => Promise.resolve(double.client),
  });
  opened.push(source);
  await expect(source.start(() => Promise.reject(outage))).rejects.toBe(outage);
});

test("a client that neither fetches nor joins is taken for dead", async () => {
  const double = kafkaDouble({ ...P0, high: 9 });
  const { source, clock } = await open(double, { limits: { wedgedMs: 5_000 } });
  const next = source.next(FOREVER).catch((error: unknown) => error);
  for (let at = 0; at < 4; at += 1) await clock.advance(1_000);
  double.ears().beat();
  for (let at = 0; at < 4; at += 1) await clock.advance(1_000);
  expect(source.health().state).not.toBe("not connected");
  await clock.advance(1_000);
  await clock.advance(1_000);
  expect(codeOf(await next)).toBe("SOURCE_UNAVAILABLE");
});

test("records that wait while somebody asks and none come are said, and in the end given up", async () => {
  const double = kafkaDouble({ ...P0, high: 9 });
  const limits = { stalledMs: 3_000, hopelessMs: 10_000, lagMs: 0 };
  const { source, clock } = await open(double, { limits });
  const pass = async (seconds: number) => {
    for (let at = 0; at < seconds; at += 1) {
      double.ears().beat();
      await clock.advance(1_000);
    }
  };
  await pass(5);
  expect(source.health().stalledMs).toBeNull();
  const next = source.next(FOREVER).catch((error: unknown) => error);
  await pass(6);
  expect(source.health().stalledMs).toBeGreaterThanOrEqual(3_000);
  await pass(10);
  expect(codeOf(await next)).toBe("SOURCE_FAILED");
});

test("a partition with too much waiting is paused, alone, until most of it was delivered", async () => {
  const double = kafkaDouble({ ...P0, high: 90 }, { ...P1, high: 90 });
  const { source } = await open(double, { limits: { queueBytes: 200, maxBytes: 60 } });
  double.fetch(P0, [0, 1, 2, 3, 4]);
  expect(double.said.at(-1)).not.toBe("pause t/0");
  double.fetch(P0, [5, 6, 7, 8, 9]);
  expect(double.said.at(-1)).toBe("pause t/0");
  double.fetch(P1, [0]);
  expect(await offsetsOf(source)).toEqual([
    [1, [0], "1"],
    [0, [0, 1, 2, 3, 4], "5"],
  ]);
  expect(double.said.at(-1)).toBe("resume t/0");
});

test("it is serving once all that was there at first is acknowledged, not when it is delivered", async () => {
  const double = kafkaDouble({ ...P0, high: 2 });
  const { source } = await open(double);
  double.fetch(P0, [0, 1]);
  await source.next(FOREVER);
  expect(source.health().state).toBe("catching up");
  await source.acknowledge([{ ...P0, nextOffset: "2" }]);
  expect(source.health().state).toBe("serving");
});
