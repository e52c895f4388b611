import { setTimeout as pause } from "node:timers/promises";
import { fresh, openTopics, warm } from "../helpers/kafka-topics.ts";
import { describeServer } from "../servers/describe-server.ts";
import { startKafka, type Kafka } from "../servers/kafka.ts";
import { sourceContract, type Origins } from "./source.contract.ts";

async function start(use: (starting: Promise<Kafka>) => Promise<Kafka>): Promise<Kafka> {
  const kafka = await use(startKafka());
  await warm(kafka.brokers);
  return kafka;
}

describeServer("Kafka source", { needs: ["kafka"], start }, (kafka) => {
  const open = async (): Promise<Origins> => {
    const topics = await openTopics(kafka().brokers);
    const topic = fresh("bank");
    const groupId = fresh("group");
    await topics.create(topic, 2);
    return {
      append: (partition, records) => topics.send(topic, partition, records),
      open: ({ follow, maxBytes }) =>
        Promise.resolve(topics.source({ topics: [topic], groupId, follow, limits: { maxBytes } })),
      wait: () => pause(50),
      close: () => topics.close(),
    };
  };
  sourceContract("Kafka source", open);
});
