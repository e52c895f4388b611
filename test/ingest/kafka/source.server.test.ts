import { gzipSync } from "node:zlib";
import { CompressionTypes, Kafka as Client, logLevel } from "kafkajs";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ledger, reader, values } from "../../helpers/kafka-reader.ts";
import { fresh, openTopics, warm, type KafkaTopics, type Sent } from "../../helpers/kafka-topics.ts";
import { describeServer } from "../../servers/describe-server.ts";
import { startKafka, type Kafka } from "../../servers/kafka.ts";

function numbered(from: number, to: number): readonly Sent[] {
  return Array.from({ length: to - from }, (_, at) => ({ key: `k${from + at}`, value: `v${from + at}` }));
}

const valuesOf = (sent: readonly Sent[]) => sent.map(({ value }) => String(value));

async function start(use: (starting: Promise<Kafka>) => Promise<Kafka>): Promise<Kafka> {
  const kafka = await use(startKafka());
  await warm(kafka.brokers);
  return kafka;
}

describeServer("the Kafka source", { needs: ["kafka"], start }, (kafka) => {
  let topics: KafkaTopics;
  let topic: string;
  let groupId: string;
  beforeEach(async () => {
    topics = await openTopics(kafka().brokers);
    topic = fresh("bank");
    groupId = fresh("group");
  });
  afterEach(() => topics.close());

  /** A source of the topic that was started, and who reads from it. */
  const begin = async (options: Partial<Parameters<KafkaTopics["source"]>[0]> = {}, kept = ledger()) => {
    const source = topics.source({ topics: [topic], groupId, ...options });
    await source.start(kept.list);
    return { source, kept, one: reader(source, kept) };
  };

  /** What a source that read ten records of the topic, and was closed, leaves behind. */
  const readTen = async () => {
    await topics.send(topic, 0, numbered(0, 10));
    const { source, kept, one } = await begin();
    await one.until(({ records }) => records.length === 10);
    await source.close();
    return kept;
  };

  test("a record is what was sent: bytes, headers, tombstones and coordinates", async () => {
    await topics.create(topic);
    await topics.send(topic, 0, [
      { key: "a", value: Buffer.from([0, 255, 1]), headers: { "__debezium.newkey": "ü", empty: "" } },
      { key: "a", value: null },
      { key: null, value: "" },
    ]);
    const { one } = await begin();
    await one.until(({ records }) => records.length === 3);
    const [first, second, third] = one.records;
    expect(first).toMatchObject({ topic, partition: 0, offset: "0" });
    expect([...(first?.value ?? [])]).toEqual([0, 255, 1]);
    expect(first?.headers).toEqual({ "__debezium.newkey": "ü", empty: "" });
    expect(Math.abs((first?.timestampMs ?? 0) - Date.now())).toBeLessThan(60_000);
    expect(second?.value).toBeNull();
    expect(third?.key).toBeNull();
    expect(third?.value?.length).toBe(0);
  });

  test("partitions move to a second member and back, and nothing is lost on the way", async () => {
    await topics.create(topic, 4);
    const kept = ledger();
    const options = { topics: [topic], groupId };
    const first = topics.source(options);
    const second = topics.source(options);
    await first.start(kept.list);
    const one = reader(first, kept);
    const two = reader(second, kept);
    const sent: string[] = [];
    const send = async (count: number) => {
      for (let partition = 0; partition < 4; partition += 1) {
        const part = numbered(sent.length, sent.length + count);
        sent.push(...valuesOf(part));
        await topics.send(topic, partition, part);
      }
    };
    const read = () => new Set([...values(one.records), ...values(two.records)]);
    await send(100);
    await one.until(() => read().size === sent.length);
    const reading = one.run();
    await second.start(kept.list);
    const readingToo = two.run();
    await send(100);
    await expect.poll(() => read().size, { timeout: 15_000 }).toBe(sent.length);
    await expect.poll(() => [first.health().partitions, second.health().partitions]).toEqual([2, 2]);
    // The second began where the first had come to, not where it was when either of them started.
    expect(two.records.length).toBeLessThanOrEqual(400);
    expect(two.records.every(({ offset }) => Number(offset) >= 100)).toBe(true);
    await readingToo.stop();
    await second.close();
    await send(100);
    await expect.poll(() => read().size, { timeout: 15_000 }).toBe(sent.length);
    await reading.stop();
    expect([...read()].sort()).toEqual([...sent].sort());
    expect(first.health().discontinuities + second.health().discontinuities).toBe(0);
  });

  test("records that retention removed before they were read are declared, and the rest is read", async () => {
    await topics.create(topic);
    const kept = await readTen();
    await topics.send(topic, 0, numbered(10, 30));
    await topics.remove(topic, 0, 25);
    const { source: after, one: rest } = await begin({}, kept);
    await rest.until(({ records }) => records.length >= 5);
    expect(values(rest.records)).toEqual(valuesOf(numbered(25, 30)));
    expect(after.health().latestDiscontinuities).toEqual([
      { kind: "removed", topic, partition: 0, from: "10", to: "25" },
    ]);
    expect(rest.unreadable.map(({ origin }) => origin)).toEqual([{ topic, partition: 0, offset: "10" }]);
    expect(kept.at(topic, 0)).toBe("30");
  });

  test("records removed while they are read are declared too, although the client jumps in silence", async () => {
    await topics.create(topic);
    const kept = ledger();
    // One fetched batch of each send: the queue is full at once, and the rest is not fetched before it is gone.
    const source = topics.source({
      topics: [topic],
      groupId,
      limits: { queueBytes: 10, partitionFetchBytes: 200, maxBytes: 100 },
    });
    for (let at = 0; at < 20; at += 1) await topics.send(topic, 0, numbered(at * 10, at * 10 + 10));
    await source.start(kept.list);
    const one = reader(source, kept);
    await one.until(({ records }) => records.length > 0);
    await topics.remove(topic, 0, 195);
    await one.until(({ records }) => values(records).includes("v199"));
    expect(source.health().latestDiscontinuities).toMatchObject([{ kind: "removed", topic, to: "195" }]);
    const [lost] = source.health().latestDiscontinuities;
    const expected = [...numbered(0, Number(lost?.from)), ...numbered(195, 200)];
    expect(values(one.records)).toEqual(valuesOf(expected));
  });

  test.each([
    ["shorter than the checkpoint", 3, "recreated"],
    ["longer than the checkpoint", 30, "forgotten"],
  ])("a topic made again, %s, is read from its start under another name", async (_how, count, kind) => {
    await topics.create(topic);
    const kept = await readTen();
    await topics.admin.deleteTopics({ topics: [topic] });
    await expect.poll(() => topics.admin.listTopics()).not.toContain(topic);
    await topics.create(topic);
    await topics.send(topic, 0, numbered(100, 100 + count));
    const { source: after, one: rest } = await begin({}, kept);
    await rest.until(({ records }) => records.length === count);
    expect(values(rest.records)).toEqual(valuesOf(numbered(100, 100 + count)));
    expect(after.health().latestDiscontinuities).toMatchObject([{ kind, from: "10", to: "0" }]);
    expect(rest.batches[0]?.topic).toBe(`${topic}#1`);
    expect(rest.records[0]).toMatchObject({ topic, offset: "0" });
    expect([kept.at(topic, 0), kept.at(`${topic}#1`, 0)]).toEqual(["10", String(count)]);
    await after.close();
    await topics.send(topic, 0, numbered(500, 502));
    const { source: again, one: last } = await begin({}, kept);
    await last.until(({ records }) => records.length === 2);
    expect(values(last.records)).toEqual(["v500", "v501"]);
    expect(again.health().discontinuities).toBe(0);
  });

  test("a topic made again while it is read is read from its start", async () => {
    await topics.create(topic);
    await topics.send(topic, 0, numbered(0, 10));
    const { source, one } = await begin();
    await one.until(({ records }) => records.length === 10);
    const reading = one.run();
    await topics.admin.deleteTopics({ topics: [topic] });
    await expect.poll(() => topics.admin.listTopics()).not.toContain(topic);
    await topics.create(topic);
    await topics.send(topic, 0, numbered(100, 104));
    await expect.poll(() => values(one.records), { timeout: 20_000 }).toContain("v103");
    await reading.stop();
    expect(values(one.records.slice(10))).toEqual(valuesOf(numbered(100, 104)));
    expect(source.health().latestDiscontinuities).toMatchObject([{ topic, to: "0" }]);
  });

  test.each(["gzip", "snappy", "lz4", "zstd"])("%s is read", async (codec) => {
    await topics.create(topic, 1, { "compression.type": codec });
    const large = `${"abcdefgh".repeat(40_000)}end`;
    const sent = [...numbered(0, 500), { key: "large", value: large }, ...numbered(501, 600)];
    await topics.send(topic, 0, sent);
    const { one } = await begin();
    await one.until(({ records }) => records.length === sent.length);
    expect(values(one.records)).toEqual(valuesOf(sent));
  });

  test("aborted records are never seen, and neither they nor markers count as behind or as missing", async () => {
    await topics.create(topic);
    const client = new Client({ brokers: [kafka().brokers], logLevel: logLevel.NOTHING });
    const producer = client.producer({
      transactionalId: fresh("writer"),
      maxInFlightRequests: 1,
      idempotent: true,
    });
    await producer.connect();
    const inTransaction = async (sent: readonly Sent[], end: "commit" | "abort") => {
      const transaction = await producer.transaction();
      await transaction.send({ topic, messages: sent.map(({ key, value }) => ({ key, value })) });
      await transaction[end]();
    };
    await inTransaction(numbered(0, 5), "commit");
    await inTransaction(numbered(5, 10), "abort");
    await inTransaction(numbered(10, 15), "commit");
    await inTransaction(numbered(15, 20), "abort");
    await producer.disconnect();
    const { source, kept, one } = await begin();
    await one.until(async ({ records }) => records.length === 10 && (await source.lag()).length === 0);
    expect(values(one.records)).toEqual(valuesOf([...numbered(0, 5), ...numbered(10, 15)]));
    expect(kept.at(topic, 0)).toBe("24");
    expect(source.health()).toMatchObject({ state: "serving", discontinuities: 0 });
  });

  test("a batch that unpacks to more than is allowed is reported and left, and all others are read", async () => {
    await topics.create(topic, 2);
    const bomb = "0".repeat(3_000_000);
    expect(gzipSync(bomb).length).toBeLessThan(10_000);
    await topics.send(topic, 0, numbered(0, 3));
    await topics.producer.send({
      topic,
      compression: CompressionTypes.GZIP,
      messages: [
        { partition: 0, value: bomb },
        { partition: 0, value: "beside it" },
      ],
    });
    await topics.send(topic, 0, numbered(5, 8));
    await topics.send(topic, 1, numbered(10, 13));
    const { source, one } = await begin({ limits: { maxUnpackedBytes: 1_000_000 } });
    await one.until(async ({ records }) => records.length === 9 && (await source.lag()).length === 0);
    expect(values(one.records).sort()).toEqual(
      valuesOf([...numbered(0, 3), ...numbered(5, 8), ...numbered(10, 13)]).sort(),
    );
    expect(one.unreadable).toEqual([
      {
        origin: { topic, partition: 0, offset: "3" },
        reason:
          "its compressed batch unpacks to more bytes than allowed; 2 records up to offset 4 were not read",
        bytes: null,
      },
    ]);
  });

  test("a partition with a long backlog does not hold the others, and little of it waits in memory", async () => {
    await topics.create(topic, 3);
    const long = Array.from({ length: 90 }, (_, at) => ({ key: `${at}`, value: "x".repeat(10_000) }));
    for (let turn = 0; turn < 10; turn += 1) await topics.send(topic, 0, long);
    await topics.send(topic, 1, numbered(0, 10));
    await topics.send(topic, 2, numbered(10, 20));
    const limits = { queueBytes: 300_000, partitionFetchBytes: 100_000, maxBytes: 100_000 };
    const { one } = await begin({ limits });
    await one.until(({ records }) => records.filter(({ partition }) => partition > 0).length === 20);
    expect(one.records.filter(({ partition }) => partition === 0).length).toBeLessThan(200);
    await one.until(({ records }) => records.length === 920);
    expect(Math.max(...one.batches.map(({ bytes }) => bytes))).toBeLessThanOrEqual(110_000);
  });

  test("topics that come to be are taken up, by name and by pattern, and a missing one is no error", async () => {
    const [named, matched] = [fresh("late"), fresh("late")];
    const kept = ledger();
    const source = topics.source({ topics: [named, `/${matched.replace(/-\d+$/, "")}-.+/`], groupId });
    await source.start(kept.list);
    expect(source.health()).toMatchObject({ state: "not connected", missingTopics: [named] });
    const one = reader(source, kept);
    await topics.create(named);
    await topics.send(named, 0, numbered(0, 3));
    await one.until(({ records }) => records.length === 3);
    await topics.create(matched);
    await topics.send(matched, 0, numbered(3, 6));
    await one.until(({ records }) => records.length >= 6);
    expect(values(one.records).sort()).toEqual(valuesOf(numbered(0, 6)).sort());
    expect(source.health().missingTopics).toEqual([]);
  });

  test("the group's offsets follow what was acknowledged", async () => {
    await topics.create(topic);
    await topics.send(topic, 0, numbered(0, 7));
    const { one } = await begin();
    await one.until(({ records }) => records.length === 7);
    const committed = async () => {
      const [found] = await topics.admin.fetchOffsets({ groupId, topics: [topic] });
      return found?.partitions[0]?.offset;
    };
    await expect.poll(committed, { timeout: 5_000 }).toBe("7");
  });

  test("an idle source wakes up for its fetches, not a thousand times a second", async () => {
    await topics.create(topic);
    const limits = { fetchWaitMs: 100, heartbeatMs: 1_000, commitMs: 1_000, discoverMs: 30_000 };
    const source = topics.source({ topics: [topic], groupId, limits });
    await source.start(ledger().list);
    const timers = vi.spyOn(globalThis, "setTimeout");
    await source.next(AbortSignal.timeout(1_000));
    const armed = timers.mock.calls.length;
    timers.mockRestore();
    expect(armed).toBeLessThan(100);
  });
});
