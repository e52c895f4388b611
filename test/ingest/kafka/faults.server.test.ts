import { Kafka as Client, logLevel, type Consumer } from "kafkajs";
import { afterEach, beforeEach, expect, test } from "vitest";
import { codeOf } from "../../../src/errors.ts";
import { ledger, reader, values } from "../../helpers/kafka-reader.ts";
import { fresh, openTopics, warm, type KafkaTopics } from "../../helpers/kafka-topics.ts";
import { describeServer, needsOurOwn } from "../../servers/describe-server.ts";
import { startKafka, type Kafka } from "../../servers/kafka.ts";

async function start(use: (starting: Promise<Kafka>) => Promise<Kafka>): Promise<Kafka> {
  const kafka = await use(startKafka());
  await warm(kafka.brokers);
  return kafka;
}

/** A member of a group that joins, and from then on says nothing. */
async function join(
  brokers: string,
  { topic, groupId, clientId }: Readonly<Record<"topic" | "groupId" | "clientId", string>>,
): Promise<Consumer> {
  const client = new Client({ brokers: [brokers], clientId, logLevel: logLevel.NOTHING });
  const consumer = client.consumer({ groupId, sessionTimeout: 30_000, rebalanceTimeout: 30_000 });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  let release = () => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  await new Promise<void>((resolve) => {
    void consumer.run({
      autoCommit: false,
      eachBatch: () => {
        resolve();
        return held;
      },
    });
  });
  const { disconnect } = consumer;
  return Object.assign(consumer, {
    disconnect: async () => {
      release();
      await disconnect();
    },
  });
}

describeServer("the Kafka source under faults", { needs: ["kafka"], start }, (kafka) => {
  let topics: KafkaTopics;
  let topic: string;
  beforeEach(async (context) => {
    needsOurOwn(context, kafka());
    topics = await openTopics(kafka().brokers);
    topic = fresh("bank");
    await topics.create(topic, 2);
  });
  afterEach(() => topics.close());

  const send = (from: number, to: number) =>
    Promise.all(
      [0, 1].map((partition) =>
        topics.send(
          topic,
          partition,
          Array.from({ length: to - from }, (_, at) => ({ key: "k", value: `${partition}:${from + at}` })),
        ),
      ),
    );

  test("a broker killed in the middle and started again loses nothing, and the outage is told", async () => {
    const source = topics.source({ topics: [topic] });
    const kept = ledger();
    await source.start(kept.list);
    const one = reader(source, kept);
    await send(0, 200);
    await one.until(({ records }) => records.length > 0);
    const reading = one.run();
    await kafka().kill();
    await expect.poll(() => one.failures.length, { timeout: 20_000 }).toBeGreaterThan(0);
    expect(source.health().state).toBe("not connected");
    await kafka().restart();
    await send(200, 400);
    await expect.poll(() => new Set(values(one.records)).size, { timeout: 30_000 }).toBe(800);
    await reading.stop();
    expect(new Set(one.failures.map(codeOf))).toEqual(new Set(["SOURCE_UNAVAILABLE"]));
    expect(source.health().discontinuities).toBe(0);
    for (const partition of [0, 1]) expect(kept.at(topic, partition)).toBe("400");
  }, 90_000);

  test("a broker that stopped answering is told as an outage, and read on once it answers", async () => {
    const source = topics.source({ topics: [topic], limits: { wedgedMs: 2_000, leaveMs: 500 } });
    const kept = ledger();
    await source.start(kept.list);
    const one = reader(source, kept);
    await send(0, 50);
    await one.until(({ records }) => records.length === 100);
    const reading = one.run();
    kafka().freeze();
    await expect.poll(() => one.failures.length, { timeout: 20_000 }).toBeGreaterThan(0);
    kafka().thaw();
    await send(50, 100);
    await expect.poll(() => new Set(values(one.records)).size, { timeout: 30_000 }).toBe(200);
    await reading.stop();
    expect(new Set(one.failures.map(codeOf))).toEqual(new Set(["SOURCE_UNAVAILABLE"]));
  }, 90_000);

  test("a process that was killed has its partitions back at once when it has a name", async () => {
    await send(0, 10);
    const groupId = fresh("group");
    const kept = ledger();
    // A member that neither leaves nor says anything any more: what is left of a killed process.
    const dead = await join(kafka().brokers, { topic, groupId, clientId: "customer360-ingest-1" });
    const source = topics.source({
      topics: [topic],
      groupId,
      instance: "ingest-1",
      limits: { sessionMs: 20_000 },
    });
    const begunMs = Date.now();
    await source.start(kept.list);
    const one = reader(source, kept);
    await one.until(({ records }) => records.length === 20);
    expect(Date.now() - begunMs).toBeLessThan(5_000);
    await dead.disconnect();
  });

  test("closing does not wait for a broker that does not answer", async () => {
    const source = topics.source({ topics: [topic], limits: { leaveMs: 500 } });
    await source.start(ledger().list);
    kafka().freeze();
    const begunMs = Date.now();
    await source.close();
    expect(Date.now() - begunMs).toBeLessThan(3_000);
    kafka().thaw();
  });
});
