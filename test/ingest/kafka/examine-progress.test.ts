import { expect, test } from "vitest";
import { reportOn, type Finding } from "../../../src/doctor/report.ts";
import { Customer360Error } from "../../../src/errors.ts";
import { examineProgress } from "../../../src/ingest/kafka/examine-progress.ts";
import type { KafkaClient } from "../../../src/ingest/kafka/group.ts";
import { kafkaDouble } from "../../helpers/kafka-double.ts";

const TOPICS = ["a", "b"];

/** What is found in a cluster of two topics of which nothing was read, where it refuses one of them. */
async function found(refuse: (topic: string) => Error | null): Promise<readonly Finding[]> {
  const { client } = kafkaDouble({ topic: "a", partition: 0 }, { topic: "b", partition: 0, high: 3 });
  const guarded: Pick<KafkaClient, "marks" | "committed"> = {
    committed: client.committed,
    marks: (topic) => {
      const refusal = refuse(topic);
      return refusal === null ? client.marks(topic) : Promise.reject(refusal);
    },
  };
  const findings: Finding[] = [];
  const report = reportOn("kafka", (finding) => findings.push(finding));
  await examineProgress({ client: guarded, topics: TOPICS, checkpoints: [] }, report);
  return findings;
}

test("a topic that may not be read is wrong, and the next one is looked at all the same", async () => {
  const denied = Object.assign(new Error("Not authorized"), { type: "TOPIC_AUTHORIZATION_FAILED" });
  expect(await found((topic) => (topic === "a" ? denied : null))).toEqual([
    {
      component: "kafka",
      check: "progress",
      state: "wrong",
      found: "looking at a: Not authorized",
      todo: "give the user READ and DESCRIBE on the topic",
    },
    expect.objectContaining({ state: "ok", found: "b: partitions: 1, records to read: 3" }),
  ]);
});

test("a topic that no broker leads yet is a warning, and the next one is looked at all the same", async () => {
  const unled = Object.assign(new Error("This server does not host this topic-partition"), {
    type: "UNKNOWN_TOPIC_OR_PARTITION",
    retriable: true,
  });
  const exceeded = new Error(unled.message, { cause: unled });
  expect(await found((topic) => (topic === "a" ? exceeded : null))).toEqual([
    {
      component: "kafka",
      check: "progress",
      state: "warning",
      found: "looking at a: This server does not host this topic-partition",
      todo: "look again in a moment: it was just made or removed, or the broker that leads it is away",
    },
    expect.objectContaining({ state: "ok", found: "b: partitions: 1, records to read: 3" }),
  ]);
});

test("an outage is nobody's right to lack: it is thrown on", async () => {
  const away = new Customer360Error("SOURCE_UNAVAILABLE", "away");
  await expect(found(() => away)).rejects.toBe(away);
});
