import { createRequire } from "node:module";
import { setTimeout as sleep } from "node:timers/promises";
import kafkajs, {
  type Admin,
  type Broker,
  type Cluster,
  type Consumer,
  type EachBatchPayload,
  type PartitionAssigner,
  type ResourceConfigQuery,
} from "kafkajs";
import type { TopicPartition } from "../../../cdc/partition.ts";
import type { Log } from "../../../log.ts";
import { CODECS, codecOf, testCodecs, type CodecName } from "../codecs/codecs.ts";
import type { Fetched, Group, GroupEars, KafkaCluster, KafkaSettings, KafkaSights } from "../group.ts";
import { clientLog } from "./log.ts";
import { markOf, readMark, type Committed, type Marks } from "../position.ts";
import { readRecords } from "../records.ts";
import { proofOf } from "./security.ts";

/** How the client library tries again by itself, before it gives up and we do, with more patience. */
const RETRY = { initialRetryTime: 100, maxRetryTime: 1_000, retries: 4 };
const CONNECT_MS = 5_000;

/**
 * Connects to a Kafka cluster. This is the only file that knows the client library: everything else speaks kafka/group.ts.
 * Throws what the library throws; `kafkaFailure` tells outages from refusals.
 */
export async function connectKafka(settings: KafkaSettings, log: Log): Promise<KafkaCluster> {
  prepare(settings.limits.maxUnpackedBytes);
  await testCodecs();
  const kafka = new kafkajs.Kafka({
    clientId: clientIdOf(settings),
    brokers: [...settings.brokers],
    ...proofOf(settings.security),
    connectionTimeout: CONNECT_MS,
    authenticationTimeout: CONNECT_MS,
    requestTimeout: settings.limits.requestMs,
    retry: RETRY,
    logLevel: kafkajs.logLevel.WARN,
    logCreator: () => clientLog(log),
  });
  const admin = kafka.admin();
  try {
    await admin.connect();
  } catch (error) {
    void admin.disconnect().catch(() => {});
    throw error;
  }
  return {
    topics: () => admin.listTopics(),
    marks: (topic) => again(() => marksOf(admin, topic)),
    committed: (topics) => again(() => committedOf(admin, settings.groupId, topics)),
    join: (topics, ears) => join(kafka, settings, { topics, ears }),
    offsetsAt: (topic, ms) => again(() => offsetsAt(admin, topic, ms)),
    look: (topics) => lookWith(admin, settings.groupId, topics),
    close: () => admin.disconnect(),
  };
}

/** What each of these may see depends on the rights of the user: what it may not see keeps nothing else from being seen. */
async function lookWith(admin: Admin, groupId: string, topics: readonly string[]): Promise<KafkaSights> {
  const { brokers } = await admin.describeCluster();
  const node = brokers[0]?.nodeId ?? 0;
  const [ofBroker, ofTopics, found] = await Promise.all([
    configsOf(admin, [{ type: kafkajs.ConfigResourceTypes.BROKER, name: String(node) }]),
    configsOf(
      admin,
      topics.map((name) => ({ type: kafkajs.ConfigResourceTypes.TOPIC, name })),
    ),
    admin.describeGroups([groupId]).catch(() => null),
  ]);
  const group = found?.groups[0];
  const maxBatchBytes = ofBroker.get(String(node))?.get("message.max.bytes");
  return {
    brokers: brokers.length,
    maxBatchBytes: maxBatchBytes === undefined ? null : Number(maxBatchBytes),
    group: group === undefined ? null : { state: group.state, members: group.members.length },
    topics: new Map(
      [...ofTopics].map(([name, configs]) => [
        name,
        {
          maxBatchBytes: Number(configs.get("max.message.bytes") ?? 0),
          retentionMs: retentionOf(configs),
        },
      ]),
    ),
  };
}

function retentionOf(configs: ReadonlyMap<string, string>): number | null {
  const ms = Number(configs.get("retention.ms") ?? -1);
  return ms < 0 || configs.get("cleanup.policy") === "compact" ? null : ms;
}

async function configsOf(
  admin: Admin,
  resources: readonly ResourceConfigQuery[],
): Promise<ReadonlyMap<string, ReadonlyMap<string, string>>> {
  if (resources.length === 0) return new Map();
  try {
    const found = await admin.describeConfigs({ resources: [...resources], includeSynonyms: false });
    return new Map(
      found.resources.map(({ resourceName, configEntries }) => [
        resourceName,
        new Map(configEntries.map(({ configName, configValue }) => [configName, configValue])),
      ]),
    );
  } catch {
    return new Map();
  }
}

function clientIdOf({ instance }: KafkaSettings): string {
  return instance === null ? "customer360" : `customer360-${instance}`;
}

let maxUnpackedBytes = 0;

/** The library keeps its codecs for the whole process: so does the limit, the latest one counting. */
function prepare(maxBytes: number): void {
  if (maxUnpackedBytes === 0) calmTimers();
  if (maxUnpackedBytes === maxBytes) return;
  maxUnpackedBytes = maxBytes;
  for (const name of Object.keys(CODECS) as CodecName[])
    kafkajs.CompressionCodecs[CODECS[name]] = () => codecOf(name, maxBytes);
}

/** The part of the library's request queue that `calmTimers` replaces. */
interface RequestQueue {
  readonly pending: readonly unknown[];
  scheduleCheckPendingRequests(this: RequestQueue): void;
}

/**
 * The library looks after waiting requests by a timer that it arms anew, with a negative time, also when nothing waits: about 900
 * wake-ups a second for each process, and a warning of the platform from Node 24 on (kafkajs #1751). With nothing waiting there is
 * nothing to arm: whatever is put in the queue later arms it.
 */
function calmTimers(): void {
  const load = createRequire(import.meta.url);
  const { prototype } = load("kafkajs/src/network/requestQueue/index.js") as { prototype: RequestQueue };
  const arm = prototype.scheduleCheckPendingRequests;
  prototype.scheduleCheckPendingRequests = function (this: RequestQueue) {
    if (this.pending.length > 0) arm.call(this);
  };
}

/**
 * Asks again a few times what a broker could not say just then, as while a partition has no leader: the library gives such questions up at once, and
 * without their answers a whole session would have to end.
 */
async function again<T>(ask: () => Promise<T>): Promise<T> {
  for (let waitMs = RETRY.initialRetryTime; ; waitMs *= 2) {
    try {
      return await ask();
    } catch (error) {
      const isPassing = error instanceof Error && "retriable" in error && error.retriable === true;
      if (!isPassing || waitMs > RETRY.maxRetryTime) throw error;
      await sleep(waitMs);
    }
  }
}

async function marksOf(admin: Admin, topic: string): Promise<readonly Marks[]> {
  const found = await admin.fetchTopicOffsets(topic);
  return found.map(({ partition, low, high }) => ({
    topic,
    partition,
    low: BigInt(low),
    high: BigInt(high),
  }));
}

async function offsetsAt(admin: Admin, topic: string, ms: number): Promise<ReadonlyMap<number, bigint>> {
  const found = await admin.fetchTopicOffsetsByTimestamp(topic, ms);
  return new Map(found.map(({ partition, offset }) => [partition, BigInt(offset)]));
}

async function committedOf(
  admin: Admin,
  groupId: string,
  topics: readonly string[],
): Promise<readonly Committed[]> {
  if (topics.length === 0) return [];
  const found = await admin.fetchOffsets({ groupId, topics: [...topics] });
  return found.flatMap(({ topic, partitions }) =>
    partitions.map(({ partition, offset, metadata }) => ({
      topic,
      partition,
      offset: BigInt(offset),
      ...readMark(metadata),
    })),
  );
}

interface Joining {
  readonly topics: readonly string[];
  readonly ears: GroupEars;
}

async function join(
  kafka: kafkajs.Kafka,
  settings: KafkaSettings,
  { topics, ears }: Joining,
): Promise<Group> {
  const { groupId, limits } = settings;
  let cluster: Cluster | null = null;
  const assigner: PartitionAssigner = (config) => {
    cluster = config.cluster;
    return kafkajs.PartitionAssigners.roundRobin(config);
  };
  const consumer = kafka.consumer({
    groupId,
    partitionAssigners: [assigner],
    sessionTimeout: limits.sessionMs,
    rebalanceTimeout: limits.rebalanceMs,
    heartbeatInterval: limits.heartbeatMs,
    metadataMaxAge: limits.discoverMs,
    maxBytes: limits.fetchBytes,
    maxBytesPerPartition: limits.partitionFetchBytes,
    maxWaitTimeInMs: limits.fetchWaitMs,
    allowAutoTopicCreation: false,
    readUncommitted: false,
    // A crash is ours to judge: an outage is waited for by whoever drives the source, anything else ends the process.
    retry: { ...RETRY, restartOnFailure: () => Promise.resolve(false) },
  });
  const group = groupOf(consumer);
  listen(consumer, group, ears);
  try {
    await consumer.connect();
    await dismissPredecessor(cluster, settings).catch(() => {});
    await consumer.subscribe({ topics: [...topics], fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      eachBatch: (payload) => receive(payload, ears),
    });
  } catch (error) {
    void consumer.disconnect().catch(() => {});
    throw error;
  }
  return group;
}

/** What a group's coordinator says of its members, and what the library's types leave out. */
interface Coordinator extends Broker {
  leaveGroup(leaving: { groupId: string; memberId: string }): Promise<unknown>;
}

interface Described {
  readonly groups: ReadonlyArray<{
    readonly members: ReadonlyArray<{ readonly memberId: string; readonly clientId: string }>;
  }>;
}

/**
 * Takes a member out of the group that an earlier life of this process left there, killed before it could leave: else every partition would stand
 * still until its session has ended. Only a shortcut: a living member that is taken for it joins again at once.
 */
async function dismissPredecessor(cluster: Cluster | null, settings: KafkaSettings): Promise<void> {
  const { groupId, instance } = settings;
  if (instance === null || cluster === null) return;
  const coordinator = (await cluster.findGroupCoordinator({ groupId })) as Coordinator;
  const { groups } = (await coordinator.describeGroups({ groupIds: [groupId] })) as Described;
  const clientId = clientIdOf(settings);
  for (const { memberId } of groups
    .flatMap(({ members }) => members)
    .filter((one) => one.clientId === clientId))
    await coordinator.leaveGroup({ groupId, memberId });
}

function groupOf(consumer: Consumer): Group {
  return {
    pause: (partitions) => consumer.pause(byTopic(partitions)),
    resume: (partitions) => consumer.resume(byTopic(partitions)),
    seek: ({ topic, partition }, offset) => consumer.seek({ topic, partition, offset: offset.toString() }),
    commit: (offsets) =>
      consumer.commitOffsets(
        offsets.map(({ topic, partition, offset, ...mark }) => ({
          topic,
          partition,
          offset: offset.toString(),
          metadata: markOf(mark),
        })),
      ),
    leave: () => consumer.disconnect(),
  };
}

function byTopic(partitions: readonly TopicPartition[]): { topic: string; partitions: number[] }[] {
  return partitions.map(({ topic, partition }) => ({ topic, partitions: [partition] }));
}

/** The library calls these at once as things happen; one that throws would break its `disconnect`, so none of ours does. */
function listen(consumer: Consumer, group: Group, ears: GroupEars): void {
  const { events } = consumer;
  consumer.on(events.GROUP_JOIN, ({ payload }) => {
    const partitions = Object.entries(payload.memberAssignment).flatMap(([topic, numbers]) =>
      numbers.map((partition) => ({ topic, partition })),
    );
    ears.assigned(partitions, group);
  });
  consumer.on(events.REBALANCING, () => ears.revoked());
  consumer.on(events.FETCH, () => ears.beat());
  consumer.on(events.CRASH, ({ payload }) => ears.crashed(payload.error));
  consumer.on(events.START_BATCH_PROCESS, ({ payload }) => {
    // Nothing but markers and records of aborted transactions: the library passes over them by itself.
    if (payload.batchSize > 0) return;
    const { topic, partition, highWatermark, firstOffset, lastOffset } = payload;
    ears.fetched({
      topic,
      partition,
      records: [],
      unreadable: [],
      first: firstOffset === null ? null : BigInt(firstOffset),
      next: BigInt(lastOffset) + 1n,
      high: BigInt(highWatermark),
    });
  });
}

/** Never waits: the library fetches, and keeps our place in the group, only while no batch is being worked on. */
function receive(
  { batch, resolveOffset, isRunning, isStale }: EachBatchPayload,
  ears: GroupEars,
): Promise<void> {
  if (!isRunning() || isStale()) return Promise.resolve();
  const first = batch.firstOffset();
  const fetched: Fetched = {
    topic: batch.topic,
    partition: batch.partition,
    ...readRecords(batch.topic, batch.partition, batch.messages),
    first: first === null ? null : BigInt(first),
    next: BigInt(batch.lastOffset()) + 1n,
    high: BigInt(batch.highWatermark),
  };
  if (ears.fetched(fetched)) resolveOffset(batch.lastOffset());
  return Promise.resolve();
}
