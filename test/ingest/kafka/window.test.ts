import { afterEach, describe, expect, test } from "vitest";
import { codeOf } from "../../../src/errors.ts";
import type { KafkaCluster } from "../../../src/ingest/kafka/group.ts";
import { rangesIn } from "../../../src/ingest/kafka/ranges.ts";
import { PLAINTEXT } from "../../../src/ingest/kafka/client/security.ts";
import { kafkaSource, type KafkaSource } from "../../../src/ingest/kafka/source.ts";
import { windowed } from "../../../src/ingest/kafka/window.ts";
import { readBound, type Bound, type Range } from "../../../src/ingest/replay/bounds.ts";
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

function sourceOf(double: KafkaDouble, ranges: readonly Range[]): KafkaSource {
  const source = kafkaSource({
    ...{ brokers: ["nowhere:1"], security: PLAINTEXT, groupId: "g", topics: ["t"], follow: false },
    ...{ clock: manualClock(), log: silentLog },
    connect: () => Promise.resolve(windowed(double.client, ranges)),
  });
  opened.push(source);
  return source;
}

const starting = (ranges: readonly Range[]) =>
  Promise.resolve(
    ranges.map(({ topic, partition, from }) => ({ topic, partition, nextOffset: from.toString() })),
  );

const offsetsOf = async (source: KafkaSource) =>
  (await source.next(FOREVER))?.map(({ partition, records, nextOffset }) => [
    partition,
    records.map(({ offset }) => Number(offset)),
    nextOffset,
  ]) ?? null;

describe("a range of a topic", () => {
  test("is read from its begin to its end, nothing behind it, and then the source has ended", async () => {
    const ranges = [{ ...P0, from: 3n, to: 6n }];
    const double = kafkaDouble({ ...P0, high: 20 }, { ...P1, high: 20 });
    const source = sourceOf(double, ranges);
    await source.start(() => starting(ranges));
    expect(double.said).toEqual(["pause t/0", "pause t/1", "seek t/0 3", "resume t/0"]);
    double.fetch(P0, [3, 4]);
    double.fetch(P0, [5, 6, 7]);
    double.fetch(P0, [8]);
    expect(await source.lag()).toEqual([{ ...P0, behind: "3" }]);
    expect(await offsetsOf(source)).toEqual([[0, [3, 4, 5], "6"]]);
    expect(await offsetsOf(source)).toBeNull();
    expect(double.said.filter((one) => one === "pause t/0")).toHaveLength(3);
    expect(double.committed.size).toBe(0);
  });

  test("ends where compaction left nothing before its end", async () => {
    const ranges = [{ ...P0, from: 0n, to: 6n }];
    const double = kafkaDouble({ ...P0, high: 20 });
    const source = sourceOf(double, ranges);
    await source.start(() => starting(ranges));
    double.fetch(P0, [0, 1]);
    expect(await offsetsOf(source)).toEqual([[0, [0, 1], "2"]]);
    double.fetch(P0, [9, 10]);
    expect(await offsetsOf(source)).toEqual([[0, [], "6"]]);
    expect(await offsetsOf(source)).toBeNull();
  });

  test("is read to the same end after partitions were handed out anew", async () => {
    const ranges = [{ ...P0, from: 0n, to: 3n }];
    const double = kafkaDouble({ ...P0, high: 20 });
    const source = sourceOf(double, ranges);
    await source.start(() => starting(ranges));
    double.fetch(P0, [0, 1, 2, 3]);
    double.assign(P0);
    await new Promise((resolve) => setImmediate(resolve));
    double.fetch(P0, [0, 1, 2, 3]);
    expect(await offsetsOf(source)).toEqual([[0, [0, 1, 2], "3"]]);
    expect(await offsetsOf(source)).toBeNull();
  });

  test("of nothing ends without joining", async () => {
    const double = kafkaDouble({ ...P0, high: 20 });
    const source = sourceOf(double, [{ ...P0, from: 4n, to: 4n }]);
    await source.start(() => Promise.resolve([]));
    expect(await offsetsOf(source)).toBeNull();
    expect(double.said).toEqual([]);
  });

  test("that retention overtakes on the way goes on at what is left, and says what is missing", async () => {
    const ranges = [{ ...P0, from: 0n, to: 9n }];
    const double = kafkaDouble({ ...P0, low: 5, high: 20 });
    const source = sourceOf(double, ranges);
    await source.start(() => Promise.resolve([{ ...P0, nextOffset: "2" }]));
    expect(source.unreadable()).toMatchObject([{ origin: { ...P0, offset: "2" } }]);
    double.fetch(P0, [5, 6, 7, 8]);
    expect(await offsetsOf(source)).toEqual([[0, [5, 6, 7, 8], "9"]]);
  });

  test("whose end is not there any more is refused, and not waited for", async () => {
    const double = kafkaDouble({ ...P0, high: 5 });
    const shorter = await sourceOf(double, [{ ...P0, from: 0n, to: 9n }])
      .start(() => Promise.resolve([]))
      .catch((error: unknown) => error);
    expect(codeOf(shorter)).toBe("SOURCE_FAILED");
    double.topics = [];
    const gone = await sourceOf(double, [{ ...P0, from: 0n, to: 3n }])
      .start(() => Promise.resolve([]))
      .catch((error: unknown) => error);
    expect(codeOf(gone)).toBe("SOURCE_FAILED");
  });
});

/** A cluster whose records have one time each, their offset. */
const cluster: Pick<KafkaCluster, "topics" | "marks" | "offsetsAt"> = {
  topics: () => Promise.resolve(["t", "u", "__hidden"]),
  marks: (topic) => Promise.resolve([0, 1].map((partition) => ({ topic, partition, low: 5n, high: 9n }))),
  offsetsAt: (_, ms) =>
    Promise.resolve(new Map([0, 1].map((one) => [one, ms > 9 ? 9n : BigInt(Math.max(5, ms))]))),
};

const bounds = (from: readonly string[], to: readonly string[]) => {
  const read = (text: string): Bound => readBound(text) ?? { kind: "time", ms: Number(text.slice(1)) };
  return { from: from.map(read), to: to.map(read) };
};

const asked = async (from: readonly string[], to: readonly string[], topics = ["t"], isNamed = true) => {
  const wanted = { topics, isNamed, bounds: bounds(from, to) };
  return (await rangesIn(cluster, wanted, silentLog)).map(
    (one) => `${one.topic}/${one.partition} ${one.from}-${one.to}`,
  );
};

describe("what lies in bounds", () => {
  test.each([
    [[], [], ["t/0 5-9", "t/1 5-9"]],
    [["6"], [], ["t/0 6-9", "t/1 6-9"]],
    [["1:6"], [], ["t/1 6-9"]],
    [["1:6"], ["7"], ["t/1 6-7"]],
    [["0:6", "1:7"], ["0:8"], ["t/0 6-8", "t/1 7-9"]],
    [["@6"], ["@8"], ["t/0 6-8", "t/1 6-8"]],
    [["@1"], ["@2"], ["t/0 5-5", "t/1 5-5"]],
    [["@20"], [], ["t/0 9-9", "t/1 9-9"]],
  ])("from %j to %j is %j", async (from, to, expected) => {
    expect(await asked(from, to)).toEqual(expected);
  });

  test("topics of the pipeline that do not exist are left out, one that a person named is refused with what there is", async () => {
    expect(await asked([], [], ["u", "v"], false)).toEqual(["u/0 5-9", "u/1 5-9"]);
    await expect(asked([], [], ["v"])).rejects.toThrow("in Kafka v does not exist: there are t, u");
  });

  test.each([
    [["2"], [], "t/0 begins at 5, retention removed what was before: give --from 5 or later, not 2"],
    [["10"], [], "t/0 ends at 9: give --from 9 or earlier, not 10"],
    [[], ["12"], "t/0 ends at 9: give --to 9 or earlier, not 12"],
    [["8"], ["6"], "t/0: --from 8 lies behind the end, 6"],
    [["7:6"], [], "t has no partition 7: it has 2, from 0 on"],
  ])("from %j to %j is refused in words that say what to do", async (from, to, words) => {
    const failure = await asked(from, to).catch((error: unknown) => error as Error);
    expect(codeOf(failure)).toBe("SETTINGS_INVALID");
    expect((failure as Error).message).toBe(words);
  });

  test("offsets of several topics are refused", async () => {
    await expect(asked(["6"], [], ["t", "u"])).rejects.toThrow("name one with --topic");
  });
});
