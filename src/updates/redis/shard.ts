import { randomInt } from "node:crypto";
import type { Update } from "../../customer/customer.ts";
import type { Log } from "../../log.ts";
import { forgetBody } from "../../store/document-text.ts";
import type { RedisLink } from "./client.ts";
import { ENTRY, entriesFor, following } from "./entry.ts";
import type { Following, Placed } from "./entry.ts";
import { Follower } from "./follower.ts";
import { Past } from "./past.ts";
import { comparePlaces, entryId, isOf, parseState } from "./place.ts";
import type { RedisPlace, RedisState } from "./place.ts";
import { PUBLISH } from "./script.ts";
import { together } from "./together.ts";
import { updateText } from "../update-text.ts";

/** What one stream is made of. */
export interface RedisShardOptions {
  /** Begins the names of its keys; its hash tag puts them on one node of a cluster. */
  readonly name: string;
  /** For publishing and for reading what is there. */
  readonly link: RedisLink;
  /** For waiting. */
  readonly waiting: RedisLink;
  readonly log: Log;
  readonly nowMs: () => number;
  readonly keep: { readonly count: number; readonly ageMs: number };
  readonly blockMs: number;
}

/** What there is behind a place. */
export type RedisLook =
  | { readonly kind: "entries"; readonly entries: readonly Placed[] }
  /** Null `missed`: the place is none of this stream. */
  | { readonly kind: "gap"; readonly missed: number | null };

/** Updates and characters given to the script at once; bounds how long the server does nothing else. */
const CALL = { updates: 400, chars: 1_000_000 };

/** The stream of a customer, by a hash that is the same everywhere (FNV-1a). */
export function shardOf(customerId: string, shards: number): number {
  let hash = 0x81_1c_9d_c5;
  for (let at = 0; at < customerId.length; at += 1)
    hash = Math.imul(hash ^ customerId.charCodeAt(at), 0x01_00_01_93);
  return (hash >>> 0) % shards;
}

/** One stream of updates in Redis. */
export class RedisShard {
  readonly #options: RedisShardOptions;
  readonly #keys: readonly string[];
  readonly #stream: string;
  readonly #follower: Follower;
  readonly #past = new Past((after, limit) => this.#readOn(after, limit));
  readonly #end = together(() => this.#run(this.#options.link, []));
  /** Who looks for what is behind a place right now. */
  #looking = 0;
  #state: RedisState | null = null;

  constructor(options: RedisShardOptions) {
    this.#options = options;
    const { name, waiting, blockMs } = options;
    this.#stream = `${name}:stream`;
    this.#keys = [`${name}:state`, this.#stream, `${name}:reached`, `${name}:before`, `${name}:marks`];
    this.#follower = new Follower({
      link: waiting,
      stream: this.#stream,
      blockMs,
      ask: (link) => this.#run(link, []),
    });
  }

  /** Publishes what was not published before. */
  async publish(updates: readonly Update[]): Promise<void> {
    let args: (string | number)[] = [];
    let chars = 0;
    for (const update of updates) {
      const text = updateText(update);
      if (args.length === 3 * CALL.updates || (chars > 0 && chars + text.length > CALL.chars)) {
        await this.#run(this.#options.link, args);
        [args, chars] = [[], 0];
      }
      args.push(update.customerId, update.revision, text);
      chars += text.length;
    }
    if (args.length > 0) await this.#run(this.#options.link, args);
    for (const { customer } of updates) forgetBody(customer);
  }

  /** Where the stream ends. Begins one when there is none. */
  end(): Promise<RedisPlace> {
    return this.#end();
  }

  /** What there is behind a place, without waiting; null for a place of another stream. */
  async look(after: RedisPlace | null, limit: number): Promise<RedisLook> {
    if (after !== null) {
      const kept = this.#follower.kept(after, limit);
      if (kept.length > 0) return { kind: "entries", entries: kept };
      if (this.#follower.isAt(after)) return { kind: "entries", entries: [] };
    }
    this.#looking += 1;
    try {
      return await this.#lookUp(after, limit);
    } finally {
      this.#looking -= 1;
      if (this.#looking === 0) this.#past.clear();
    }
  }

  async #lookUp(after: RedisPlace | null, limit: number): Promise<RedisLook> {
    for (let isCertain = false; ; isCertain = true) {
      const end = await this.end();
      if (after === null || this.#state === null || !isOf(this.#state, after))
        return { kind: "gap", missed: null };
      if (after.seq === end.seq) return { kind: "entries", entries: [] };
      const found = await this.#readBehind(after, limit);
      if (found !== null && this.#knows(found.entries))
        return found.missed > 0
          ? { kind: "gap", missed: found.missed }
          : { kind: "entries", entries: found.entries };
      // Nothing there although the stream goes on: all of it was trimmed, unless the stream was replaced between the two questions.
      if (found === null && isCertain) return { kind: "gap", missed: end.seq - after.seq };
    }
  }

  /** Who is alone reads what it wants; many read in pieces that they share. */
  async #readBehind(after: RedisPlace, limit: number): Promise<Following | null> {
    const entries = this.#looking > 1 ? await this.#past.after(after, limit) : [];
    if (entries.length > 0) return { entries, missed: 0 };
    const found = await this.#readOn(after, limit);
    return found && { ...found, entries: found.entries.slice(0, limit) };
  }

  /** Waits for what comes behind a place that `look` found to be the end. */
  async wait(place: RedisPlace | undefined, signal: AbortSignal): Promise<void> {
    if (place !== undefined) await this.#follower.wait(place, signal);
  }

  /** Wakes who waits. */
  wakeAll(): void {
    this.#follower.wakeAll();
  }

  /** Null when the places are not of one stream, as far as is known here. */
  compare(a: RedisPlace, b: RedisPlace): number | null {
    return this.#state === null ? null : comparePlaces(this.#state, a, b);
  }

  /** What follows a place, at most about `limit`: where entries turn out to hold few updates, more of them are asked for. */
  async #readOn(after: RedisPlace, limit: number): Promise<Following | null> {
    const entries: Placed[] = [];
    for (let count = entriesFor(limit), place = after; ;) {
      const args = ["COUNT", count, "STREAMS", this.#stream, entryId(place)];
      const found = following(place, await this.#options.link.call("XREAD", args));
      if (entries.length === 0 && (found === null || found.missed > 0)) return found;
      entries.push(...(found?.entries ?? []));
      const last = entries.at(-1);
      if (last === undefined || entries.length >= limit || (found?.entries.length ?? 0) < count)
        return { entries, missed: 0 };
      place = last.place;
      count = limit - entries.length;
    }
  }

  #knows(entries: readonly Placed[]): boolean {
    const last = entries.at(-1)?.place.life;
    return last === undefined || this.#state?.lives.some(({ life }) => life === last) === true;
  }

  async #run(link: RedisLink, updates: readonly (string | number)[]): Promise<RedisPlace> {
    const { nowMs, keep, log, name } = this.#options;
    const now = nowMs();
    const told = this.#state?.end;
    const reply = await link.run(PUBLISH, this.#keys, [
      ...[newEpoch(now), now, keep.count, keep.ageMs],
      ...[told?.epoch ?? "", told?.life ?? "", told?.seq ?? 0],
      ...[ENTRY.updates, ENTRY.bytes],
      ...updates,
    ]);
    const state = parseState(reply);
    const known = this.#state;
    // Another connection leads to a server that has gone another way, as a primary does that was replaced and does not know it yet.
    if (known !== null && known.end !== told && departs(state, known.end)) return this.#run(link, []);
    if (known !== null && known.end.epoch !== state.end.epoch)
      log.warn("the update stream was lost and begins anew", { stream: name });
    // Two connections answer in any order, and the end of a stream never goes back.
    if (known?.end.epoch !== state.end.epoch || known.end.life !== state.end.life) this.#past.clear();
    if (known === null || comparesAhead(known, state)) this.#state = state;
    return state.end;
  }
}

/** Later epochs are greater, so that who knows a later one recognises a stream that was put back in place from a copy. */
function newEpoch(nowMs: number): string {
  const random = String(randomInt(100_000)).padStart(5, "0");
  return `${String(Math.max(0, Math.trunc(nowMs))).padStart(13, "0")}${random}`;
}

/** True for a server that has come as far as a place, but not by way of it. */
function departs(found: RedisState, place: RedisPlace): boolean {
  return found.end.epoch === place.epoch && found.end.seq >= place.seq && !isOf(found, place);
}

function comparesAhead(known: RedisState, found: RedisState): boolean {
  return known.end.epoch !== found.end.epoch || found.end.seq >= known.end.seq;
}
