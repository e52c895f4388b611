import { setTimeout as pause } from "node:timers/promises";
import { fresh, openTopics } from "../helpers/kafka-topics.ts";
import { describeServer } from "../servers/describe-server.ts";
import { startKafka } from "../servers/kafka.ts";
import { sourceContract, type Origins } from "./source.contract.ts";

describeServer("Kafka source", { needs: ["kafka"], start: (use) => use(startKafka()) }, (kafka) => {
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
