import { isPattern } from "../../cdc/topics.ts";
import { Customer360Error } from "../../errors.ts";
import type { Log } from "../../log.ts";
import { offsetOf, partitionsOf, timeOf, type Bounds, type Range } from "../replay/bounds.ts";
import { connectKafka } from "./client/client.ts";
import { ofKafka } from "./client/errors.ts";
import { KAFKA_LIMITS, type KafkaCluster, type KafkaSettings } from "./group.ts";
import type { Marks } from "./position.ts";
import { isTopic, missingTopics, wantedTopics } from "./topics.ts";

/** What is to be read. */
export interface RangesWanted {
  /** Names, and patterns between slashes. */
  readonly topics: readonly string[];
  /** True when each of them was named by a person: then one that does not exist is a mistake. */
  readonly isNamed: boolean;
  readonly bounds: Bounds;
}

/** Asks a cluster what lies in bounds now: an open end is where the partition ends at this moment. Throws as `rangesIn`, and as connecting does. */
export async function lookUpRanges(
  settings: Omit<KafkaSettings, "instance" | "limits">,
  wanted: RangesWanted,
  log: Log,
): Promise<readonly Range[]> {
  const whole = { ...settings, instance: null, limits: KAFKA_LIMITS };
  const cluster = await ofKafka("connecting to Kafka", connectKafka(whole, log));
  try {
    return await ofKafka("asking for the ends of partitions", rangesIn(cluster, wanted, log));
  } finally {
    await cluster.close().catch(() => {});
  }
}

/** What lies in bounds. Throws SETTINGS_INVALID, with what there is, for what does not. */
export async function rangesIn(
  cluster: Pick<KafkaCluster, "topics" | "marks" | "offsetsAt">,
  { topics: wanted, isNamed, bounds }: RangesWanted,
  log: Log,
): Promise<readonly Range[]> {
  const existing = await cluster.topics();
  const topics = wantedTopics(wanted.filter(isTopic), existing);
  const missing = missingTopics(wanted, existing);
  if (topics.length === 0 || (isNamed && missing.length > 0)) throw unknown(missing, wanted, existing);
  if (missing.length > 0) log.warn("topics that do not exist are left out", { topics: missing.join(", ") });
  if (topics.length > 1 && [...bounds.from, ...bounds.to].some(({ kind }) => kind === "offset"))
    throw invalid(
      `offsets are of one topic, and these are read: ${topics.join(", ")}; name one with --topic`,
    );
  const ranges = await Promise.all(topics.map((topic) => rangesOf(cluster, topic, bounds)));
  return ranges.flat();
}

async function rangesOf(
  cluster: Pick<KafkaCluster, "marks" | "offsetsAt">,
  topic: string,
  bounds: Bounds,
): Promise<readonly Range[]> {
  const [fromMs, toMs] = [timeOf(bounds.from), timeOf(bounds.to)];
  const [marks, begins, ends] = await Promise.all([
    cluster.marks(topic),
    fromMs === null ? null : cluster.offsetsAt(topic, fromMs),
    toMs === null ? null : cluster.offsetsAt(topic, toMs),
  ]);
  const named = partitionsOf(bounds);
  const unknownPartition = [...(named ?? [])].find(
    (one) => !marks.some(({ partition }) => partition === one),
  );
  if (unknownPartition !== undefined)
    throw invalid(`${topic} has no partition ${unknownPartition}: it has ${marks.length}, from 0 on`);
  return marks
    .filter(({ partition }) => named?.has(partition) ?? true)
    .map((mark) => {
      const { partition, low, high } = mark;
      const from = begins?.get(partition) ?? within(mark, "--from", offsetOf(bounds.from, partition)) ?? low;
      const to = ends?.get(partition) ?? within(mark, "--to", offsetOf(bounds.to, partition)) ?? high;
      if (begins === null && ends === null && from > to)
        throw invalid(`${topic}/${partition}: --from ${from} lies behind the end, ${to}`);
      // By time, what begins behind its end is nothing: no record is that old, or none is that young.
      return { topic, partition, from: from < low ? low : from, to: clipped(to, from, high) };
    });
}

function clipped(to: bigint, from: bigint, high: bigint): bigint {
  const end = to > high ? high : to;
  return end < from ? from : end;
}

/** An offset that was asked for, if it can be read. */
function within(
  { topic, partition, low, high }: Marks,
  option: string,
  offset: bigint | null,
): bigint | null {
  if (offset === null || (offset >= low && offset <= high)) return offset;
  throw invalid(
    offset < low
      ? `${topic}/${partition} begins at ${low}, retention removed what was before: give ${option} ${low} or later, not ${offset}`
      : `${topic}/${partition} ends at ${high}: give ${option} ${high} or earlier, not ${offset}`,
  );
}

const SHOWN = 20;

function unknown(missing: readonly string[], wanted: readonly string[], existing: readonly string[]): Error {
  const what = missing.length > 0 ? missing : wanted;
  const all = existing.filter((topic) => !topic.startsWith("__")).sort();
  const rest = all.length > SHOWN ? `, and ${all.length - SHOWN} more` : "";
  const there = all.length === 0 ? "there is none" : `there are ${all.slice(0, SHOWN).join(", ")}${rest}`;
  const verb = what.some(isPattern) ? "matches nothing" : "does not exist";
  return invalid(`in Kafka ${what.join(", ")} ${verb}: ${there}`);
}

function invalid(text: string): Customer360Error {
  return new Customer360Error("SETTINGS_INVALID", text);
}
