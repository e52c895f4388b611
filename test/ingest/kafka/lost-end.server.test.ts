import { afterEach, beforeEach, expect, test } from "vitest";
import { ledger, reader, values } from "../../helpers/kafka-reader.ts";
import { fresh, openTopics, warm, type KafkaTopics } from "../../helpers/kafka-topics.ts";
import { describeServer, needsOurOwn } from "../../servers/describe-server.ts";
import { loseEnd } from "../../servers/kafka-log.ts";
import { startKafka, type Kafka } from "../../servers/kafka.ts";

async function start(use: (starting: Promise<Kafka>) => Promise<Kafka>): Promise<Kafka> {
  const kafka = await use(startKafka());
  await warm(kafka.brokers);
  return kafka;
}

const numbered = (name: string, count: number) =>
  Array.from({ length: count }, (_, at) => ({ key: "k", value: `${name}${at}` }));

describeServer("a broker that comes back without its end", { needs: ["kafka"], start }, (kafka) => {
  let topics: KafkaTopics;
  let topic: string;
  beforeEach(async (context) => {
    needsOurOwn(context, kafka());
    topics = await openTopics(kafka().brokers);
    topic = fresh("bank");
    await topics.create(topic);
  });
  afterEach(() => topics.close());

  const end = async () => Number((await topics.admin.fetchTopicOffsets(topic))[0]?.high);
  /** One batch each, so that a cut loses few. */
  const sendOneByOne = async (name: string, count: number) => {
    for (const one of numbered(name, count)) await topics.send(topic, 0, [one]);
  };
  const loseSome = async () => {
    await kafka().kill();
    loseEnd(kafka(), { topic, partition: 0 }, 400);
    await kafka().restart();
    await expect.poll(end).toBeGreaterThan(0);
    return end();
  };

  test.each([
    ["and is read before it has as many records again", 1, "recreated", false],
    ["has as many records again", 40, "replaced", false],
    ["has as many records again, and is read by another process", 40, "replaced", true],
  ])(
    "%s: that is said, and what took their offsets is read",
    async (_how, more, kind, isOther) => {
      const group = { topics: [topic], groupId: fresh("group") };
      const first = topics.source(group);
      const kept = ledger();
      await first.start(kept.list);
      const one = reader(first, kept);
      await sendOneByOne("old", 30);
      await one.until(({ records }) => records.length === 30);
      if (isOther) await first.close();
      const left = await loseSome();
      expect(left).toBeLessThan(30);
      await topics.send(topic, 0, numbered("new", more));
      const source = isOther ? topics.source(group) : first;
      if (isOther) await source.start(kept.list);
      const rest = reader(source, kept);
      await rest.until(({ records }) => values(records).includes(`new${more - 1}`));
      expect(source.health().latestDiscontinuities).toMatchObject([{ kind, topic, from: "30", to: "0" }]);
      expect(values(rest.records).filter((value) => value.startsWith("new"))).toEqual(
        numbered("new", more).map(({ value }) => value),
      );
      expect([kept.at(topic, 0), kept.at(`${topic}#1`, 0)]).toEqual(["30", String(left + more)]);
    },
    90_000,
  );

  test("has lost only what was not read: nothing is said, and reading goes on", async () => {
    const source = topics.source({ topics: [topic] });
    const kept = ledger();
    await source.start(kept.list);
    const one = reader(source, kept);
    await sendOneByOne("old", 10);
    await one.until(({ records }) => records.length === 10);
    await sendOneByOne("unread", 20);
    const left = await loseSome();
    expect(left).toBeGreaterThanOrEqual(10);
    await topics.send(topic, 0, numbered("new", 40));
    await one.until(({ records }) => values(records).includes("new39"));
    expect(source.health().discontinuities).toBe(0);
    const read = values(one.records).filter((value) => value.startsWith("new"));
    expect(read).toEqual(numbered("new", 40).map(({ value }) => value));
  }, 90_000);
});
