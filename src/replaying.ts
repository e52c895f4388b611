import {
  closeAdapters,
  openAdapters,
  openReplayed,
  kafkaGroup,
  guardSource,
  type Adapters,
} from "./adapters.ts";
import type { SourceRecord } from "./cdc/change.ts";
import { partitionName } from "./cdc/partition.ts";
import { ownerOfTopics } from "./cdc/topics.ts";
import { systemClock, type Clock } from "./clock.ts";
import type { ReplayConnections } from "./connections.ts";
import type { Plan } from "./customer/plan.ts";
import { Customer360Error } from "./errors.ts";
import { lookUpRanges } from "./ingest/kafka/ranges.ts";
import { createPipeline } from "./ingest/pipeline.ts";
import { rederiveAll } from "./ingest/rederive.ts";
import { keepingAccount, type Account } from "./ingest/replay/account.ts";
import { apart } from "./ingest/replay/apart.ts";
import { timeOf, type Bounds, type Range } from "./ingest/replay/bounds.ts";
import { beginProgress, findProgress, forgetProgress, type Progress } from "./ingest/replay/progress.ts";
import type { Checkpoint, Source, Unreadable } from "./ingest/source.ts";
import type { Log } from "./log.ts";
import { createStop } from "./stop.ts";
import { EMPTY_SAVE } from "./store/store.ts";

/** What to read again, and into what. */
export interface ReplayOptions {
  readonly plan: Plan;
  readonly connections: ReplayConnections;
  /** Name of its progress. */
  readonly id: string;
  /** Names of topics; none for all of the pipeline's. */
  readonly topics: readonly string[];
  readonly bounds: Bounds;
  /** Begins anew what was begun before. */
  readonly restart: boolean;
  /**
   * True for a store that is rebuilt beside the one that is served:
   * it has to be new, and afterwards goes on where the replay ended.
   */
  readonly isRebuild: boolean;
  readonly log: Log;
  readonly clock?: Clock;
  /** Told of everything the source could not read, as it is found. */
  readonly onUnreadable?: (found: Unreadable) => void;
}

/** How far a replay is, in records of topics or bytes of files; of files it is known how many only as they are found. */
export interface ReplayStanding {
  readonly done: number;
  readonly total: number;
  /** Records that this run has read. */
  readonly records: number;
}

/** A replay that is ready to run. */
export interface Replay {
  /** True when it goes on where an earlier run was stopped. */
  readonly isResumed: boolean;
  /** Reads until the end, or until the signal aborts; answers whether everything was read, and then its progress is gone. */
  run(signal: AbortSignal): Promise<boolean>;
  standing(): Promise<ReplayStanding>;
  /** What became of the records this run has read. */
  account(): Account;
  close(): Promise<void>;
}

/**
 * Opens a replay: finds out what is to be read, or what is left of it. Throws SETTINGS_INVALID for what cannot be read, and for a
 * rebuild into a store that holds customers already.
 */
export async function openReplay(options: ReplayOptions, signal: AbortSignal): Promise<Replay> {
  const { plan, connections, log, clock = systemClock } = options;
  guardSource(connections.source);
  guardTopics(options);
  const { store: kept, updates: told, dataDir } = connections;
  const adapters = await openAdapters(
    { plan, dataDir, fresh: false, source: null, store: kept, updates: told },
    { clock, log },
  );
  let source: Source | null = null;
  const close = () => closeAdapters({ ...adapters, source }, createStop(log));
  try {
    await adapters.checkUpdates();
    const { progress, isResumed } = await progressOf(options, adapters);
    await rederiveAll({ plan, store: adapters.store, clock, log, signal });
    source = openReplayed(replayed(options, progress.ranges), plan, { clock, log });
    return { ...running(options, { adapters, progress, source }), isResumed, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** A topic that no table reads would be skipped, record by record. */
function guardTopics({ plan, topics, connections, bounds }: ReplayOptions): void {
  const owner = ownerOfTopics(plan.tables);
  const known = new Set(plan.tables.flatMap((table) => table.topics));
  const strange = topics.filter((topic) => owner(topic) === undefined);
  if (strange.length > 0)
    throw invalid(`the pipeline reads no topic ${strange.join(", ")}: it reads ${[...known].join(", ")}`);
  if (
    connections.source.kind === "files" &&
    [...bounds.from, ...bounds.to].some(({ kind }) => kind === "offset")
  )
    throw invalid("offsets are of topics: files take times, such as --from 2026-01-31T10:00:00Z");
}

/** What an earlier run left to do, or the beginning. */
async function progressOf(
  options: ReplayOptions,
  { store }: Adapters,
): Promise<{ readonly progress: Progress; readonly isResumed: boolean }> {
  const { id, restart, isRebuild } = options;
  const found = findProgress(await store.checkpoints(), id);
  if (found !== null && !restart) return { progress: found, isResumed: true };
  if (isRebuild && found === null && (await store.everyone(null, 1)).length > 0)
    throw invalid(
      "--into names a store that holds customers already: name a new one, or give this one by MONGODB_URI or --data-dir to read more into it",
    );
  const ranges = await rangesOf(options);
  return { progress: await beginProgress(store, id, ranges), isResumed: false };
}

async function rangesOf({
  plan,
  connections,
  topics,
  bounds,
  log,
}: ReplayOptions): Promise<readonly Range[]> {
  const { source } = connections;
  if (source.kind === "files") return [];
  const { brokers, security } = source;
  const wanted = topics.length > 0 ? topics : plan.tables.flatMap((table) => table.topics);
  return lookUpRanges(
    { brokers, security, groupId: kafkaGroup(plan, source.groupId) },
    { topics: wanted, isNamed: topics.length > 0, bounds },
    log,
  );
}

function replayed({ connections: { source }, id }: ReplayOptions, ranges: readonly Range[]) {
  return source.kind === "files" ? source : { ...source, id, ranges };
}

interface Parts {
  readonly adapters: Adapters;
  readonly progress: Progress;
  readonly source: Source;
}

function running(
  options: ReplayOptions,
  { adapters, progress, source }: Parts,
): Pick<Replay, "run" | "standing" | "account"> {
  const { plan, id, isRebuild, log, clock = systemClock, onUnreadable = () => {} } = options;
  const { prefix, ranges } = progress;
  const { store, account } = keepingAccount(adapters.store);
  const done = new Map(progress.done.map((one) => [partitionName(one), one]));
  let records = 0;
  const read = apart(source, {
    prefix,
    unread: onUnreadable,
    starts: ranges.map(({ topic, partition, from }) => ({ topic, partition, nextOffset: from.toString() })),
    keeps: keeper(options),
    delivered: (count) => void (records += count),
    stored: (checkpoints) => checkpoints.forEach((one) => done.set(partitionName(one), one)),
  });
  const standing = async (): Promise<ReplayStanding> => {
    if (ranges.length === 0) return { ...(await standingOfFiles(source, [...done.values()])), records };
    const parts = ranges.map((range) => ({
      ...range,
      at: BigInt(done.get(partitionName(range))?.nextOffset ?? range.from),
    }));
    return {
      done: Number(parts.reduce((sum, { at, from }) => sum + at - from, 0n)),
      total: Number(parts.reduce((sum, { to, from }) => sum + to - from, 0n)),
      records,
    };
  };
  return {
    account,
    standing,
    run: async (signal) => {
      const pipeline = createPipeline({ plan, source: read, store, updates: adapters.updates, clock, log });
      await pipeline.run(signal);
      const isDone = ranges.every((range) => isRead(range, done.get(partitionName(range))));
      if (ranges.length === 0 ? signal.aborted : !isDone) return false;
      if (isRebuild && isWhole(options)) await goOn(adapters, [...done.values()]);
      await forgetProgress(adapters.store, id);
      return true;
    },
  };
}

function isRead({ from, to }: Range, done: Checkpoint | undefined): boolean {
  return BigInt(done?.nextOffset ?? from) >= to;
}

/** True when nothing was left out: what is not known of then lies behind. */
function isWhole({ bounds, topics }: ReplayOptions): boolean {
  return bounds.from.length === 0 && bounds.to.length === 0 && topics.length === 0;
}

/** What was rebuilt goes on where the replay ended, once it is served. */
async function goOn({ store }: Adapters, checkpoints: readonly Checkpoint[]): Promise<void> {
  if (checkpoints.length > 0) await store.save({ ...EMPTY_SAVE, checkpoints });
}

async function standingOfFiles(
  source: Source,
  stored: readonly Checkpoint[],
): Promise<{ readonly done: number; readonly total: number }> {
  const done = stored.reduce((sum, { nextOffset }) => sum + Number(nextOffset), 0);
  const behind = (await source.lag()).reduce((sum, lag) => sum + Number(lag.behind), 0);
  return { done, total: done + behind };
}

/** Which records are meant: those of a time range, and of files those of the topics. */
function keeper({ bounds, topics, connections }: ReplayOptions): (record: SourceRecord) => boolean {
  const fromMs = timeOf(bounds.from) ?? -Infinity;
  const toMs = timeOf(bounds.to) ?? Infinity;
  const isTimed = ({ timestampMs }: SourceRecord) => timestampMs >= fromMs && timestampMs < toMs;
  if (connections.source.kind === "kafka" || topics.length === 0) return isTimed;
  const wanted = new Set(topics);
  return (record) => isTimed(record) && wanted.has(record.topic);
}

function invalid(text: string): Customer360Error {
  return new Customer360Error("SETTINGS_INVALID", text);
}
