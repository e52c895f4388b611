import { createHash, randomBytes } from "node:crypto";
import { samePartition } from "../../cdc/partition.ts";
import { EMPTY_SAVE, type Forgetting, type Store } from "../../store/store.ts";
import type { Checkpoint } from "../source.ts";
import type { Range } from "./bounds.ts";

/** What its progress is called by: what is read, and how much of it. */
export interface ReplayIdentity {
  /** The folder of files; null for topics. */
  readonly dir: string | null;
  /** As asked for; none for all. */
  readonly topics: readonly string[];
  readonly from: readonly string[];
  readonly to: readonly string[];
}

/** A replay that was begun in a store. */
export interface Progress {
  /** Begins the names of how far it is; no topic and no file begins so. */
  readonly prefix: string;
  /** What is to be read of topics; none of files. */
  readonly ranges: readonly Range[];
  /** How far each partition is, by the names the source knows. */
  readonly done: readonly Checkpoint[];
}

const ALL = "replay:";

/** True for what tells how far a replay is, and not how far live reading is. */
export function isReplayed({ topic }: Pick<Checkpoint, "topic">): boolean {
  return topic.startsWith(ALL);
}

/** The same for the same reading, another for another: what makes a replay go on where it was. */
export function replayId({ dir, topics, from, to }: ReplayIdentity): string {
  const text = JSON.stringify([dir, [...topics].sort(), [...from].sort(), [...to].sort()]);
  return createHash("sha256").update(text).digest("hex").slice(0, 12);
}

/**
 * Begins a replay: notes what is to be read, so that a later start reads to the same ends. The mark that it was begun comes
 * last: what a crash left without one counts for nothing. Each beginning has a name of its own, for checkpoints never go
 * backwards.
 */
export async function beginProgress(
  store: Pick<Store, "save"> & Forgetting,
  id: string,
  ranges: readonly Range[],
): Promise<Progress> {
  await forgetProgress(store, id);
  const prefix = `${prefixOf(id)}${randomBytes(4).toString("hex")}:`;
  const noted = ranges.flatMap(({ topic, partition, from, to }) => [
    { topic: `${prefix}from:${topic}`, partition, nextOffset: from.toString() },
    { topic: `${prefix}to:${topic}`, partition, nextOffset: to.toString() },
  ]);
  if (noted.length > 0) await store.save({ ...EMPTY_SAVE, checkpoints: noted });
  const mark = { topic: `${prefix}begun`, partition: 0, nextOffset: "1" };
  await store.save({ ...EMPTY_SAVE, checkpoints: [mark] });
  return { prefix: `${prefix}at:`, ranges, done: [] };
}

/** What a store knows of a replay; null when it was never begun, or was completed. */
export function findProgress(checkpoints: readonly Checkpoint[], id: string): Progress | null {
  const begun = checkpoints.find(({ topic }) => topic.startsWith(prefixOf(id)) && topic.endsWith(":begun"));
  if (begun === undefined) return null;
  const prefix = begun.topic.slice(0, -"begun".length);
  const from = under(checkpoints, `${prefix}from:`);
  const ends = under(checkpoints, `${prefix}to:`);
  const ranges = ends.map((end) => {
    const start = from.find((one) => samePartition(one, end));
    const { topic, partition, nextOffset } = end;
    return { topic, partition, from: BigInt(start?.nextOffset ?? 0), to: BigInt(nextOffset) };
  });
  return { prefix: `${prefix}at:`, ranges, done: under(checkpoints, `${prefix}at:`) };
}

/** Removes all that is known of a replay. */
export function forgetProgress(store: Forgetting, id: string): Promise<void> {
  return store.forgetCheckpoints(prefixOf(id));
}

/** The checkpoints under a prefix, without it. */
export function under(checkpoints: readonly Checkpoint[], prefix: string): readonly Checkpoint[] {
  return checkpoints
    .filter(({ topic }) => topic.startsWith(prefix))
    .map((one) => ({ ...one, topic: one.topic.slice(prefix.length) }));
}

const prefixOf = (id: string): string => `${ALL}${id}:`;
