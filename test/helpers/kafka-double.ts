import type { SourceRecord } from "../../src/cdc/change.ts";
import { partitionName, type TopicPartition } from "../../src/cdc/partition.ts";
import type { Fetched, Group, GroupEars, KafkaClient } from "../../src/ingest/kafka/group.ts";
import type { Committed, Marks } from "../../src/ingest/kafka/position.ts";

/** A cluster by hand: what it is asked is kept, and the test says what happens. */
export interface KafkaDouble {
  readonly client: KafkaClient;
  /** What members were told to do, such as `seek t/0 5`. */
  readonly said: readonly string[];
  readonly marks: Map<string, Marks>;
  readonly committed: Map<string, Committed>;
  topics: readonly string[];
  /** The time of the records it hands out: those of another time are other records. */
  stamp: number;
  /** How a commit fails; null: it does not. */
  refuseCommits: Error | null;
  /** What the latest member hears with. */
  ears(): GroupEars;
  assign(...partitions: readonly TopicPartition[]): void;
  /** A fetch of records at these offsets, ending at `next` (default behind the last); answers whether it was taken. */
  fetch(partition: TopicPartition, offsets: readonly number[], next?: number): boolean;
}

/** A cluster with these partitions, whose offsets go from `low` to `high`. All are assigned to whoever joins. */
export function kafkaDouble(
  ...partitions: readonly (TopicPartition & { low?: number; high?: number })[]
): KafkaDouble {
  const said: string[] = [];
  const marks = new Map<string, Marks>();
  const committed = new Map<string, Committed>();
  for (const { topic, partition, low = 0, high = 0 } of partitions)
    marks.set(partitionName({ topic, partition }), {
      topic,
      partition,
      low: BigInt(low),
      high: BigInt(high),
    });
  let ears: GroupEars | null = null;
  const hearing = (): GroupEars => {
    if (ears === null) throw new Error("nobody has joined");
    return ears;
  };
  const group: Group = {
    pause: (some) => said.push(...some.map((one) => `pause ${partitionName(one)}`)),
    resume: (some) => said.push(...some.map((one) => `resume ${partitionName(one)}`)),
    seek: (one, offset) => said.push(`seek ${partitionName(one)} ${offset}`),
    commit: async (offsets) => {
      if (self.refuseCommits !== null) throw self.refuseCommits;
      for (const one of offsets) {
        committed.set(partitionName(one), one);
        said.push(`commit ${partitionName(one)} ${one.offset} life ${one.life}`);
      }
    },
    leave: async () => void said.push("leave"),
  };
  const self: KafkaDouble = {
    said,
    marks,
    committed,
    stamp: 0,
    topics: [...new Set(partitions.map(({ topic }) => topic))],
    refuseCommits: null,
    client: {
      topics: async () => self.topics,
      marks: async (topic) => [...marks.values()].filter((one) => one.topic === topic),
      committed: async (topics) => [...committed.values()].filter(({ topic }) => topics.includes(topic)),
      join: async (_topics, listening) => {
        ears = listening;
        listening.assigned([...marks.values()], group);
        return group;
      },
      close: async () => void said.push("close"),
    },
    ears: hearing,
    assign: (...some) => hearing().assigned(some, group),
    fetch: (partition, offsets, next) => {
      const fetched: Fetched = {
        ...partition,
        records: offsets.map((offset) => ({ ...recordAt(partition, offset), timestampMs: self.stamp })),
        unreadable: [],
        first: BigInt(offsets[0] ?? (next ?? 1) - 1),
        next: BigInt(next ?? (offsets.at(-1) ?? 0) + 1),
        high: marks.get(partitionName(partition))?.high ?? 0n,
      };
      return hearing().fetched(fetched);
    },
  };
  return self;
}

/** A record that says where it is, in ten bytes. */
export function recordAt({ topic, partition }: TopicPartition, offset: number): SourceRecord {
  const value = Buffer.from(String(offset).padStart(10, "0"));
  return { topic, partition, offset: String(offset), timestampMs: 0, key: null, value, headers: {} };
}
