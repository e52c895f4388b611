import type { SourceRecord } from "../../cdc/change.ts";
import { unreadOf, type UnreadBatch } from "./unread.ts";
import type { Unreadable } from "../source.ts";

/** A record as the client library hands it out. */
export interface ClientRecord {
  readonly offset: string;
  readonly timestamp: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers?: Readonly<Record<string, unknown>>;
}

/** The records of a fetched batch, and what of it could not be read. */
export interface Read {
  readonly records: readonly SourceRecord[];
  readonly unreadable: readonly Unreadable[];
}

/** What a batch that could not be unpacked is, in words. */
const WORDS: Readonly<Record<UnreadBatch, string>> = {
  "too-large": "its compressed batch unpacks to more bytes than allowed",
  broken: "its compressed batch cannot be unpacked",
};

/** Records of one partition in our own terms. Runs of stand-ins become one report each. */
export function readRecords(topic: string, partition: number, found: readonly ClientRecord[]): Read {
  const records: SourceRecord[] = [];
  const runs: Run[] = [];
  let isRunning = false;
  for (const one of found) {
    const why = unreadOf(one.headers);
    const run = isRunning ? runs.at(-1) : undefined;
    isRunning = why !== null;
    if (why === null) records.push(recordOf(topic, partition, one));
    else if (run?.why !== why) runs.push({ why, offset: one.offset, last: one.offset, count: 1 });
    else {
      run.last = one.offset;
      run.count += 1;
    }
  }
  const unreadable = runs.map(({ why, offset, last, count }) => ({
    origin: { topic, partition, offset },
    reason: `${WORDS[why]}; ${count} records up to offset ${last} were not read`,
    bytes: null,
  }));
  return { records, unreadable };
}

/** Stand-ins next to each other. */
interface Run {
  readonly why: UnreadBatch;
  readonly offset: string;
  last: string;
  count: number;
}

function recordOf(topic: string, partition: number, one: ClientRecord): SourceRecord {
  const { offset, timestamp, key, value } = one;
  return {
    topic,
    partition,
    offset,
    timestampMs: Number(timestamp),
    key,
    value,
    headers: textsOf(one.headers),
  };
}

/** Headers as text. Of several with one name the last counts. */
function textsOf(headers: ClientRecord["headers"]): Readonly<Record<string, string>> {
  if (headers === undefined) return NONE;
  const entries = Object.entries(headers);
  if (entries.length === 0) return NONE;
  return Object.fromEntries(entries.map(([name, value]) => [name, textOf(value)]));
}

const NONE: Readonly<Record<string, string>> = {};

function textOf(value: unknown): string {
  if (Array.isArray(value)) return textOf(value.at(-1));
  if (value instanceof Uint8Array) return Buffer.from(value).toString();
  return typeof value === "string" ? value : "";
}
