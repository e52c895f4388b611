import { placeText, type RedisPlace } from "./place.ts";
import { updateOf } from "../update-text.ts";
import type { UpdateJson } from "../update-text.ts";
import type { StreamEntry } from "../updates.ts";

/** An update with the place right after it; an entry as it is wherever there is one stream only. */
export interface Placed extends StreamEntry {
  readonly place: RedisPlace;
}

/** What a read of the stream brought behind a place. */
export interface Following {
  /** Without a hole behind the place and among themselves. */
  readonly entries: readonly Placed[];
  /** How many numbers are missing right behind the place; 0 unless `entries` is empty. */
  readonly missed: number;
}

/** Updates to an entry, and bytes unless a single update has more: entries of several cost the server a tenth of entries of one. */
export const ENTRY = { updates: 20, bytes: 64_000 };

/** How many entries to ask for in order to get so many updates of a backlog. */
export function entriesFor(updates: number): number {
  return Math.max(1, Math.ceil(updates / ENTRY.updates));
}

/** Reads the reply of XREAD; null when it holds entries of another epoch, or none at all. */
export function following(after: RedisPlace, reply: unknown): Following | null {
  const [stream] = (reply ?? []) as readonly (readonly [
    string,
    readonly (readonly [string, readonly string[]])[],
  ])[];
  const entries: Placed[] = [];
  let { seq } = after;
  for (const [id, fields] of stream?.[1] ?? []) {
    const [epoch = "", last = ""] = id.split("-");
    const { life = "", ms, count, updates } = fieldsOf(fields);
    if (epoch !== after.epoch) break;
    const first = Number(last) - Number(count) + 1;
    if (first > seq + 1) return { entries, missed: entries.length > 0 ? 0 : first - 1 - seq };
    const texts = JSON.parse(`[${updates}]`) as readonly UpdateJson[];
    for (const [index, text] of texts.entries()) {
      if (first + index <= seq) continue;
      seq = first + index;
      const place = { epoch, life, seq };
      entries.push({ place, cursor: placeText(place), update: updateOf(text), publishedMs: Number(ms) });
    }
  }
  return entries.length === 0 ? null : { entries, missed: 0 };
}

function fieldsOf(fields: readonly string[]): Partial<Record<string, string>> {
  const named: Record<string, string> = {};
  for (let at = 0; at + 1 < fields.length; at += 2) named[fields[at] ?? ""] = fields[at + 1] ?? "";
  return named;
}
