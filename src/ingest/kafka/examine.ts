import type { TablePlan } from "../../cdc/table.ts";
import type { Report } from "../../doctor/report.ts";
import { silentLog } from "../../log.ts";
import { connectKafka } from "./client/client.ts";
import { testCodecs } from "./codecs/codecs.ts";
import { ofKafka } from "./client/errors.ts";
import { examineProgress } from "./examine-progress.ts";
import { KAFKA_LIMITS, type KafkaSettings, type KafkaSights } from "./group.ts";
import { isTopic, wantedTopics } from "./topics.ts";
import type { Checkpoint } from "../source.ts";

/** What a cluster is held against. */
export interface KafkaExamination extends Pick<KafkaSettings, "brokers" | "security" | "groupId"> {
  readonly tables: readonly TablePlan[];
  /** Progress as the store has it; null when the store could not be asked. */
  readonly checkpoints: readonly Checkpoint[] | null;
  /** How long a broker may take to answer, milliseconds. */
  readonly deadlineMs: number;
}

const NULLS =
  "if the connector's converter fills NULLs with column defaults, set replace.null.with.default=false on it: afterwards nobody can tell";

/** Looks at a cluster, without joining the group. Throws SOURCE_UNAVAILABLE and SOURCE_FAILED as reading from it would. */
export async function examineKafka(options: KafkaExamination, report: Report): Promise<void> {
  const { brokers, security, groupId, tables, checkpoints, deadlineMs } = options;
  await examineCodecs(report);
  const limits = { ...KAFKA_LIMITS, requestMs: deadlineMs };
  const settings: KafkaSettings = { brokers, security, groupId, instance: null, limits };
  const client = await ofKafka("connecting to Kafka", connectKafka(settings, silentLog));
  try {
    const existing = await ofKafka("listing topics", client.topics());
    const topics = wantedTopics(
      tables.flatMap((table) => table.topics.filter(isTopic)),
      existing,
    );
    const sights = await ofKafka("looking at the cluster", client.look(topics));
    const release = "Kafka does not tell its release to this client";
    report.ok("cluster", `${brokerCount(sights.brokers)} at ${brokers.join(", ")}; ${release}`);
    examineTopics(tables, existing, report);
    examineSizes(sights, report);
    examineRetention(sights, report);
    examineGroup(groupId, sights, report);
    await examineProgress({ client, topics, checkpoints }, report);
    report.ok("records", "whether they carry a schema cannot be seen from here", NULLS);
  } finally {
    await client.close().catch(() => {});
  }
}

const brokerCount = (count: number): string => `${count} broker${count === 1 ? "" : "s"}`;

async function examineCodecs(report: Report): Promise<void> {
  try {
    await testCodecs();
    report.ok("codecs", "gzip, snappy, lz4 and zstd unpack here");
  } catch (error) {
    report.wrong("codecs", (error as Error).message, "install the package anew (npm ci) on this machine");
  }
}

/** A table may name topics for several places it comes from: one of them is enough to work, all missing is not. */
function examineTopics(tables: readonly TablePlan[], existing: readonly string[], report: Report): void {
  let found = 0;
  for (const { name, topics } of tables) {
    const wanted = topics.filter(isTopic);
    if (wanted.length === 0) continue;
    const missing = wanted.filter((topic) => wantedTopics([topic], existing).length === 0);
    found += wantedTopics(wanted, existing).length;
    if (missing.length === 0) continue;
    const text = `table ${name}: no topic ${missing.join(", ")}`;
    const todo =
      "have the connector make it (its first snapshot does), give the user DESCRIBE on it, or correct `topics` in the pipeline file; running processes take it up";
    if (missing.length === wanted.length) report.wrong("topics", text, todo);
    else report.warning("topics", text, todo);
  }
  if (found > 0) report.ok("topics", `${found} found of ${existing.length} in the cluster`);
}

function examineSizes({ maxBatchBytes, topics }: KafkaSights, report: Report): void {
  const most = KAFKA_LIMITS.maxUnpackedBytes;
  const larger = [...topics].filter(([, topic]) => topic.maxBatchBytes > most).map(([name]) => name);
  const cluster = maxBatchBytes === null ? "not told" : `${maxBatchBytes.toLocaleString("en-US")} bytes`;
  if (larger.length > 0 || (maxBatchBytes ?? 0) > most)
    report.warning(
      "batch size",
      `message.max.bytes ${cluster}; topics that take more than we unpack (${most.toLocaleString("en-US")}): ${larger.join(", ") || "those made later"}`,
      "lower max.message.bytes: a longer batch goes to quarantine unread",
    );
  else if (maxBatchBytes === null && topics.size === 0)
    report.ok("batch size", "not told: the user may not describe configurations");
  else report.ok("batch size", `message.max.bytes ${cluster}, below what we unpack`);
}

/** A shorter retention does not outlast a night in which nobody looks. */
const SHORT_MS = 24 * 60 * 60 * 1_000;

function examineRetention({ topics }: KafkaSights, report: Report): void {
  const short = [...topics].flatMap(([name, { retentionMs }]) =>
    retentionMs !== null && retentionMs < SHORT_MS ? [`${name} (retention.ms ${retentionMs})`] : [],
  );
  if (short.length > 0)
    report.warning(
      "retention",
      `less than a day: ${short.join(", ")}`,
      "raise it above your longest outage: what is removed before it was read needs a snapshot",
    );
  else if (topics.size > 0) report.ok("retention", "a day and more");
}

function examineGroup(groupId: string, { group }: KafkaSights, report: Report): void {
  // A refusal comes as an answer without a state.
  if (group === null || group.state === "")
    return report.warning("group", `${groupId} cannot be seen`, "give the user READ on the group");
  if (group.state === "Dead" || (group.state === "Empty" && group.members === 0))
    return report.ok("group", `${groupId}: nobody is in it now`);
  if (group.state === "Stable") return report.ok("group", `${groupId}: stable, members: ${group.members}`);
  report.warning(
    "group",
    `${groupId}: ${group.state}, members: ${group.members}`,
    "look again in half a minute; a group that never settles has members that come and go",
  );
}
