import type { SourceRecord } from "../../cdc/change.ts";
import type { TopicPartition } from "../../cdc/partition.ts";
import type { Committed, Marks } from "./position.ts";
import type { KafkaSecurity } from "./client/security.ts";
import type { Unreadable } from "../source.ts";

/** Bounds of reading from Kafka. */
export interface KafkaLimits {
  /** Bytes of keys and values of one answer of `next`, over all partitions; default 12,000,000. */
  readonly maxBytes: number;
  /** Bytes fetched and not yet delivered above which partitions are paused; default 16,000,000. */
  readonly queueBytes: number;
  /** Bytes of one fetch from one broker, and of one partition in it, as they are on the wire; defaults 8,000,000 and 2,000,000. A single larger batch still comes. */
  readonly fetchBytes: number;
  readonly partitionFetchBytes: number;
  /** Longest unpacked batch of records, bytes; default 64,000,000. A longer one goes to quarantine unread. */
  readonly maxUnpackedBytes: number;
  /** How long a broker may wait for records before it answers a fetch, milliseconds; default 100. */
  readonly fetchWaitMs: number;
  /** After how long without a sign of life a member loses its partitions, milliseconds; default 10,000. */
  readonly sessionMs: number;
  /** Pause between signs of life, milliseconds; default 1,000. Also how soon a member hears of a rebalance. */
  readonly heartbeatMs: number;
  /** How long a rebalance waits for members, milliseconds; default 15,000. */
  readonly rebalanceMs: number;
  /** Pause between looks for new topics and partitions, milliseconds; default 30,000. */
  readonly discoverMs: number;
  /** Pause between commits of the group's offsets, milliseconds; default 1,000. */
  readonly commitMs: number;
  /** How long lag may be cached, milliseconds; default 1,000. */
  readonly lagMs: number;
  /** After how long without any fetch the client is taken for dead and made anew, milliseconds; default 20,000: longer than a rebalance. */
  readonly wedgedMs: number;
  /** After how long of being asked in vain while records wait health says so, milliseconds; default 60,000. */
  readonly stalledMs: number;
  /** After how long of it ingest fails, so that the process is started anew, milliseconds; default 1,200,000. */
  readonly hopelessMs: number;
  /** How long a broker may take to answer, milliseconds; default 10,000. Waiting for a rebalance comes on top. */
  readonly requestMs: number;
  /** How long leaving the group may take, milliseconds; default 4,000. */
  readonly leaveMs: number;
}

/** Defaults of `KafkaLimits`. */
export const KAFKA_LIMITS: KafkaLimits = {
  maxBytes: 12_000_000,
  queueBytes: 16_000_000,
  fetchBytes: 8_000_000,
  partitionFetchBytes: 2_000_000,
  maxUnpackedBytes: 64_000_000,
  fetchWaitMs: 100,
  sessionMs: 10_000,
  heartbeatMs: 1_000,
  rebalanceMs: 15_000,
  discoverMs: 30_000,
  commitMs: 1_000,
  lagMs: 1_000,
  wedgedMs: 20_000,
  stalledMs: 60_000,
  hopelessMs: 1_200_000,
  requestMs: 10_000,
  leaveMs: 4_000,
};

/** How a cluster is reached, and as whom. */
export interface KafkaSettings {
  /** Addresses to begin with, `host:port`. */
  readonly brokers: readonly string[];
  readonly security: KafkaSecurity;
  readonly groupId: string;
  /** A name that this process keeps over restarts and no other has; null for none. */
  readonly instance: string | null;
  readonly limits: KafkaLimits;
}

/** What a fetch brought of one partition. */
export interface Fetched extends TopicPartition {
  readonly records: readonly SourceRecord[];
  readonly unreadable: readonly Unreadable[];
  /** Offset of the first record, of any kind; null when everything in it lay before what was asked for. */
  readonly first: bigint | null;
  /** Where the partition goes on: behind the last record of any kind. */
  readonly next: bigint;
  /** Where the partition ended at that time. */
  readonly high: bigint;
}

/** What a member of a group is told, at once as it happens. None of these waits or throws. */
export interface GroupEars {
  /** All partitions that are ours from now on, by a group that may be used already. */
  assigned(partitions: readonly TopicPartition[], group: Group): void;
  /** None are ours until they are assigned again. */
  revoked(): void;
  /** Answers whether it was taken; what was not comes again. */
  fetched(fetched: Fetched): boolean;
  /** A fetch was answered, with records or without. */
  beat(): void;
  /** It is over. */
  crashed(error: Error): void;
}

/** Membership in a group, while it lasts. */
export interface Group {
  pause(partitions: readonly TopicPartition[]): void;
  resume(partitions: readonly TopicPartition[]): void;
  seek(partition: TopicPartition, offset: bigint): void;
  commit(offsets: readonly Committed[]): Promise<void>;
  leave(): Promise<void>;
}

/** What the source needs of a Kafka cluster. */
export interface KafkaClient {
  /** Names of all topics there are. */
  topics(): Promise<readonly string[]>;
  /** First and last offsets of a topic's partitions; the last as far as transactions are decided. */
  marks(topic: string): Promise<readonly Marks[]>;
  /** What the group knows of these topics' partitions. */
  committed(topics: readonly string[]): Promise<readonly Committed[]>;
  /** Joins the group; `assigned` has been called once it resolves, or `crashed`. */
  join(topics: readonly string[], ears: GroupEars): Promise<Group>;
  close(): Promise<void>;
}

/** A cluster as it is looked at by whoever examines it. What it does not let us see is null. */
export interface KafkaSights {
  readonly brokers: number;
  /** `message.max.bytes` of the cluster: the longest batch a topic takes that does not say otherwise. */
  readonly maxBatchBytes: number | null;
  /** State of the group (`Stable`, `Empty`, `Dead` for none) and its members. */
  readonly group: { readonly state: string; readonly members: number } | null;
  /** Settings by topic. `retentionMs`: after how long records are removed for their age; null for never. */
  readonly topics: ReadonlyMap<
    string,
    { readonly maxBatchBytes: number; readonly retentionMs: number | null }
  >;
}

/** A connected cluster that can also be looked at, and searched by time. */
export interface KafkaCluster extends KafkaClient {
  /** By partition of a topic, where the first record stands that is of this time or later; the partition's end when there is none. */
  offsetsAt(topic: string, ms: number): Promise<ReadonlyMap<number, bigint>>;
  look(topics: readonly string[]): Promise<KafkaSights>;
}
