import type { KafkaHealth } from "./ingest/kafka/health.ts";
import type { Source } from "./ingest/source.ts";
import type { Metrics } from "./metrics.ts";

/** Brings how far a source is behind up to date, by topic; all files together, for their number has no bound. */
export async function lookAtLag(metrics: Metrics, source: Pick<Source, "lag">): Promise<void> {
  const behind = new Map<string, number>();
  for (const { topic, behind: records } of await source.lag()) {
    const label = topic.startsWith("file:") ? "files" : topic;
    behind.set(label, (behind.get(label) ?? 0) + Number(records));
  }
  metrics.clear("source_lag");
  for (const [topic, records] of behind) metrics.set("source_lag", records, topic);
}

/** Brings what a Kafka source tells of itself up to date. */
export function lookAtKafka(metrics: Metrics, health: KafkaHealth): void {
  metrics.set("kafka_partitions", health.partitions);
  metrics.set("kafka_missing_topics", health.missingTopics.length);
  metrics.set("kafka_stalled_seconds", (health.stalledMs ?? 0) / 1_000);
  metrics.total("kafka_discontinuities_total", health.discontinuities);
  metrics.total("kafka_assignments_total", health.assignments);
  metrics.total("kafka_sessions_total", health.sessions);
}
