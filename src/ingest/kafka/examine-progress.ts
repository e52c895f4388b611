import { samePartition } from "../../cdc/partition.ts";
import type { Report } from "../../doctor/report.ts";
import { codeOf } from "../../errors.ts";
import { isUnhosted, ofKafka } from "./client/errors.ts";
import type { KafkaClient } from "./group.ts";
import { startOf, type Committed, type Discontinuity, type Marks, type Start } from "./position.ts";
import type { Checkpoint } from "../source.ts";

/** Topics that exist, and what is known of our progress in them. */
export interface ProgressParts {
  readonly client: Pick<KafkaClient, "marks" | "committed">;
  readonly topics: readonly string[];
  /** Null when the store could not be asked. */
  readonly checkpoints: readonly Checkpoint[] | null;
}

/** Says where each partition would go on, by the same judgement by which reading begins (kafka/position.ts). */
export async function examineProgress(
  { client, topics, checkpoints }: ProgressParts,
  report: Report,
): Promise<void> {
  if (topics.length === 0) return;
  await allowed(report, "the group", async () => {
    const committed = await ofKafka("asking for the group's offsets", client.committed(topics));
    for (const topic of topics)
      await allowed(report, "the topic", async () => {
        const marks = await ofKafka(`looking at ${topic}`, client.marks(topic));
        if (checkpoints === null)
          report.warning(
            "progress",
            `${topic}: partitions: ${marks.length}`,
            "repair the store first: it has the checkpoints",
          );
        else examineTopic({ topic, marks, committed, checkpoints }, report);
      });
  });
}

/** A refusal, or a topic that no broker leads now, concerns what was asked for, and keeps nothing else from being looked at; an outage is thrown on. */
async function allowed(report: Report, what: string, look: () => Promise<void>): Promise<void> {
  try {
    await look();
  } catch (error) {
    if (isUnhosted(error))
      return report.warning(
        "progress",
        (error as Error).message,
        "look again in a moment: it was just made or removed, or the broker that leads it is away",
      );
    if (codeOf(error) !== "SOURCE_FAILED") throw error;
    report.wrong("progress", (error as Error).message, `give the user READ and DESCRIBE on ${what}`);
  }
}

interface TopicProgress {
  readonly topic: string;
  readonly marks: readonly Marks[];
  readonly committed: readonly Committed[];
  readonly checkpoints: readonly Checkpoint[];
}

function examineTopic({ topic, marks, committed, checkpoints }: TopicProgress, report: Report): void {
  let behind = 0n;
  let beheaded = 0;
  let isSound = true;
  for (const mark of marks) {
    const known = committed.find((one) => samePartition(one, mark));
    const start = startOf(mark, known, checkpoints);
    behind += mark.high - start.offset;
    if (start.discontinuity !== null) {
      isSound = false;
      explain(start.discontinuity, report);
    } else if (isBeheaded(mark, start, checkpoints)) beheaded += 1;
  }
  const size = `${topic}: partitions: ${marks.length}, records to read: ${behind}`;
  if (beheaded > 0)
    report.warning(
      "progress",
      `${size}; the first records of ${beheaded} are gone, and we never read this topic`,
      "have the connector take a snapshot: rows that did not change since are missing else",
    );
  else if (isSound) report.ok("progress", size);
}

/** True for a partition that was never read and does not begin at its beginning. */
function isBeheaded({ topic, low, high }: Marks, start: Start, checkpoints: readonly Checkpoint[]): boolean {
  const isNew = !checkpoints.some((one) => one.topic === topic || one.topic.startsWith(`${topic}#`));
  return isNew && start.life === 0 && low > 0n && high > low;
}

function explain({ kind, topic, partition, from, to }: Discontinuity, report: Report): void {
  const place = `${topic}/${partition}`;
  switch (kind) {
    case "removed":
      return report.wrong(
        "progress",
        `${place}: retention has passed us: we are at ${from}, the topic begins at ${to}`,
        "have the connector take a snapshot of the tables, and raise retention.ms above your longest outage",
      );
    case "recreated":
      return report.wrong(
        "progress",
        `${place}: our checkpoint ${from} lies behind the topic's end: it was made again, or the broker lost its end`,
        "nothing if it was made again on purpose: it is read anew; else have a snapshot taken",
      );
    default:
      return report.wrong(
        "progress",
        `${place}: the group knows nothing of a partition we have read to ${from}: the topic was made again, or the group is another`,
        "nothing if that is so: it is read anew from its start; else set KAFKA_GROUP back to what it was",
      );
  }
}
