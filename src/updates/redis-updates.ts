import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import type { RedisAddress } from "./redis-address.ts";
import { redisLink } from "./redis-client.ts";
import type { RedisTls } from "./redis-client.ts";
import { checkHealth, redisHealth } from "./redis-health.ts";
import type { RedisHealth } from "./redis-health.ts";
import { parsePlace, placeText } from "./redis-place.ts";
import type { RedisPlace } from "./redis-place.ts";
import { RedisShard } from "./redis-shard.ts";
import type { StreamCursor, StreamRead, Updates } from "./updates.ts";

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
  /** What is kept: at most so many updates, none older than so many milliseconds. Default 100,000 and one day. */
  readonly keep?: { readonly count: number; readonly ageMs: number };
  /** Begins the names of all keys; default `c360`. */
  readonly prefix?: string;
  /** How long Redis may take to answer, milliseconds; default 2,000. */
  readonly deadlineMs?: number;
  /** How long a waiting reader hears nothing before it asks whether all is well, milliseconds; default 1,000. */
  readonly blockMs?: number;
  /** Takes a Redis that throws keys away when its memory is full, for one where that never happens; default false. */
  readonly allowEviction?: boolean;
}

const KEEP = { count: 100_000, ageMs: 24 * 60 * 60 * 1_000 };

/**
 * The Updates port in a Redis Stream, for any number of processes.
 *
 * Redis is never the record: what it has lost, readers are told of as a gap, and read anew from the store. A call that Redis does not
 * answer in time fails with UPDATES_UNAVAILABLE; whether it was carried out does not matter, because publishing again has no effect.
 */
export function redisUpdates(options: RedisUpdatesOptions): RedisUpdates {
  const { address, clock, log, keep = KEEP, prefix = "c360", deadlineMs = 2_000, blockMs = 1_000 } = options;
  const linkAs = (name: string) =>
    redisLink({ address, deadlineMs, name, ...(options.tls === undefined ? {} : { tls: options.tls }) });
  const links = [linkAs("customer360"), linkAs("customer360-follow")] as const;
  const [link, waiting] = links;
  const shard = new RedisShard({
    ...{ name: `{${prefix}:0}`, link, waiting, keep, blockMs, log },
    nowMs: () => clock.nowMs(),
  });
  let closed = false;
  const cursorOf = (place: RedisPlace): StreamCursor => placeText(place);

  return {
    publish: (updates) => shard.publish(updates),
    read: async (after, { limit, signal }): Promise<StreamRead> => {
      const place = parsePlace(after);
      for (;;) {
        if (closed) return { kind: "entries", entries: [] };
        const look = await shard.look(place, limit);
        if (look.kind === "gap") {
          const { missed, end } = look;
          const reason = missed === null ? "RESTART" : "RETENTION";
          return { kind: "gap", missed, reason, resumeAt: cursorOf(end) };
        }
        if (look.entries.length > 0 || signal.aborted || place === null)
          return {
            kind: "entries",
            entries: look.entries.map(({ place: at, ...entry }) => ({ cursor: cursorOf(at), ...entry })),
          };
        await shard.wait(place, signal);
      }
    },
    tail: async () => cursorOf(await shard.end()),
    compare: (a, b) => {
      const [left, right] = [parsePlace(a), parsePlace(b)];
      return left === null || right === null ? null : shard.compare(left, right);
    },
    isConnected: () => link.isConnected(),
    health: () => redisHealth(link),
    check: async () => {
      const found = await redisHealth(link);
      checkHealth(found, options.allowEviction ?? false);
      if (found.persistence === "none")
        log.warn("redis keeps nothing over a restart: each one tells every subscriber of a gap");
    },
    close: async () => {
      closed = true;
      shard.wakeAll();
      for (const each of links) each.close();
    },
  };
}
