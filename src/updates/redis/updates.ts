import type { Clock } from "../../clock.ts";
import type { Update } from "../../customer/customer.ts";
import type { Log } from "../../log.ts";
import type { RedisAddress } from "./address.ts";
import { redisLink } from "./client.ts";
import type { RedisTls } from "./client.ts";
import { checkHealth, redisHealth } from "./health.ts";
import type { RedisHealth } from "./health.ts";
import { RedisShard, shardOf } from "./shard.ts";
import type { RedisLook } from "./shard.ts";
import { compareVectors, joinVectors, moveTo, parseVector, vectorText } from "./vector.ts";
import type { ComparePlaces, RedisVector } from "./vector.ts";
import type { StreamCursor, StreamEntry, StreamRead, Updates } from "../updates.ts";

/** The Updates port, and what an operator asks of the Redis behind it. */
export interface RedisUpdates extends Updates {
  /** False from the moment a call failed until one succeeds. */
  isConnected(): boolean;
  /** Throws UPDATES_UNAVAILABLE when Redis does not answer. */
  health(): Promise<RedisHealth>;
  /** To be called at the start. Throws SETTINGS_INVALID for a Redis that would lose updates in silence, UPDATES_UNAVAILABLE when it is down. */
  check(): Promise<void>;
}

/** Where the stream is kept, and how. */
export interface RedisUpdatesOptions {
  readonly address: RedisAddress;
  readonly tls?: RedisTls;
  readonly clock: Clock;
  readonly log: Log;
  /** Streams that customers are spread over, the same number for every process; default 1. Changing it makes every cursor a gap. */
  readonly shards?: number;
  /** What each stream keeps: at most so many updates, none older than so many milliseconds. Default 100,000 and one day; tests keep less. */
  readonly keep?: { readonly count: number; readonly ageMs: number };
  /** Begins the names of all keys; default `c360`. */
  readonly prefix?: string;
  /** How long Redis may take to answer, milliseconds; default 2,000. Tests wait longer on a busy machine. */
  readonly deadlineMs?: number;
  /** How long a waiting reader hears nothing before it asks whether all is well, milliseconds; default 1,000. Tests wait less. */
  readonly blockMs?: number;
}

/** Of several streams each is asked for its share of what is wanted, and for so many at least. */
const LEAST_SHARE = 32;

const NOTHING: StreamRead = { kind: "entries", entries: [] };

const KEEP = { count: 100_000, ageMs: 24 * 60 * 60 * 1_000 };

/**
 * The Updates port in Redis Streams, for any number of processes.
 *
 * Redis is never the record: what it has lost, readers are told of as a gap, and read anew from the store. A call that Redis does not
 * answer in time fails with UPDATES_UNAVAILABLE; whether it was carried out does not matter, because publishing again has no effect.
 */
export function redisUpdates(options: RedisUpdatesOptions): RedisUpdates {
  const { address, clock, log, prefix = "c360", deadlineMs = 2_000, blockMs = 1_000 } = options;
  const { shards: count = 1, keep = KEEP } = options;
  const linkAs = (name: string) =>
    redisLink({ address, deadlineMs, name, ...(options.tls === undefined ? {} : { tls: options.tls }) });
  const link = linkAs("customer360");
  const readers = Array.from({ length: count }, () => linkAs("customer360-follow"));
  const shards = readers.map(
    (waiting, index) =>
      new RedisShard({
        name: `{${prefix}:${index}}`,
        link,
        waiting,
        blockMs,
        log,
        keep,
        nowMs: () => clock.nowMs(),
      }),
  );
  const comparePlaces: ComparePlaces = (shard, a, b) => shards[shard]?.compare(a, b) ?? null;
  const parse = (cursor: StreamCursor) => parseVector(cursor, count);
  const tail = async () =>
    vectorText({ places: await Promise.all(shards.map((shard) => shard.end())), moved: null });
  let closed = false;

  const read = async (after: StreamCursor, limit: number, signal: AbortSignal): Promise<StreamRead> => {
    const at = parse(after);
    const share = Math.max(Math.floor(limit / count), Math.min(limit, LEAST_SHARE));
    for (;;) {
      if (closed) return NOTHING;
      const looks = await Promise.all(
        shards.map((shard, index) => shard.look(at?.places[index] ?? null, share)),
      );
      const missed = missedIn(looks);
      if (missed !== 0) {
        const reason = missed === null ? "RESTART" : "RETENTION";
        return { kind: "gap", missed, reason, resumeAt: await tail() };
      }
      const entries = at === null ? [] : merged(at, looks, limit);
      if (entries.length > 0 || signal.aborted || at === null) return { kind: "entries", entries };
      await waitAtAny(shards, at, signal);
    }
  };

  return {
    publish: async (updates) => {
      const parts: Update[][] = shards.map(() => []);
      for (const update of updates) parts[shardOf(update.customerId, count)]?.push(update);
      await Promise.all(shards.map((shard, index) => shard.publish(parts[index] ?? [])));
    },
    read: async (after, { limit, signal }) => {
      try {
        return await read(after, limit, signal);
      } catch (error) {
        if (closed) return NOTHING;
        throw error;
      }
    },
    tail,
    compare: (a, b) => {
      const [left, right] = [parse(a), parse(b)];
      return left === null || right === null ? null : compareVectors(left, right, comparePlaces);
    },
    onward: (at, entry) => {
      const [left, right] = [parse(at), parse(entry)];
      if (left === null || right === null) return entry;
      const joined = joinVectors(left, right, comparePlaces);
      return joined === null ? null : vectorText(joined);
    },
    isConnected: () => link.isConnected(),
    health: () => redisHealth(link),
    check: async () => {
      const found = await redisHealth(link);
      checkHealth(found);
      if (found.persistence === "none")
        log.warn("redis keeps nothing over a restart: each one tells every subscriber of a gap");
    },
    close: async () => {
      closed = true;
      for (const shard of shards) shard.wakeAll();
      for (const each of [link, ...readers]) each.close();
    },
  };
}

/** What is missing in any of the streams is missing. A snapshot comes next, so all of them go on at their ends. */
function missedIn(looks: readonly RedisLook[]): number | null {
  let sum: number | null = 0;
  for (const look of looks)
    if (look.kind === "gap") sum = sum === null || look.missed === null ? null : sum + look.missed;
  return sum;
}

/** At most so many, in turn from each stream: among customers there is no order, and of a customer all are in one stream. */
function merged(from: RedisVector, looks: readonly RedisLook[], limit: number): readonly StreamEntry[] {
  const [only] = looks;
  if (looks.length === 1 && only?.kind === "entries") return only.entries;
  const entries: StreamEntry[] = [];
  let at = from;
  for (let index = 0; ; index += 1) {
    const before = entries.length;
    for (const [stream, look] of looks.entries()) {
      const next = look.kind === "gap" ? undefined : look.entries[index];
      if (next === undefined) continue;
      if (entries.length === limit) return entries;
      at = moveTo(at, stream, next.place);
      entries.push({ cursor: vectorText(at), update: next.update, publishedMs: next.publishedMs });
    }
    if (entries.length === before) return entries;
  }
}

/** Waits at every stream, for the first that has something. */
async function waitAtAny(
  shards: readonly RedisShard[],
  { places }: RedisVector,
  signal: AbortSignal,
): Promise<void> {
  const enough = new AbortController();
  const either = shards.length === 1 ? signal : AbortSignal.any([signal, enough.signal]);
  try {
    await Promise.race(shards.map((shard, index) => shard.wait(places[index], either)));
  } finally {
    enough.abort();
  }
}
