import { createHash } from "node:crypto";
import type { Refusal } from "../../cdc/change.ts";
import { readCursor, writeCursor } from "../list-cursor.ts";
import type { Counts, Excerpt, Listing, QuarantinedRecord, QuarantineQuery } from "../reads.ts";
import { EXCERPT_BYTES } from "../reads.ts";
import type { Quarantined } from "../store.ts";
import type { MongoCollection } from "./client.ts";
import { keptText, textOf } from "./documents/names.ts";
import { restored, stored, type Stored } from "./documents/values.ts";

/** Refused records, one document each. */
export interface MongoQuarantine {
  /** Puts records aside; one that is there already stays as it is. */
  put(refused: readonly Quarantined[]): Promise<void>;
  list(query: QuarantineQuery): Promise<Listing<QuarantinedRecord>>;
  count(): Promise<Counts["quarantined"]>;
}

/** Beyond it a record's bytes are cut: a document has a greatest size, and a record that does not fit must not hold up the rest. */
const MAX_BYTES = 12 * 1024 * 1024;

interface StoredRecord extends Stored {
  readonly _id: string;
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
  readonly table: string | null;
  readonly refusal: Stored;
  readonly atMs: number;
  readonly n: number;
  readonly key: StoredBytes | null;
  readonly value: StoredBytes | null;
}

/** The beginning is kept apart, so that a list need not read the rest. */
interface StoredBytes {
  readonly head: Uint8Array;
  readonly bytes: number;
  readonly rest?: Uint8Array;
}

/** Quarantine in MongoDB. */
export function mongoQuarantine(writing: MongoCollection, reading: MongoCollection): MongoQuarantine {
  let count = 0;
  return {
    put: async (refused) => {
      await writing.write(refused.map((each) => ({ insert: documentOf(each, ++count) })));
    },
    list: (query) => list(reading, query),
    count: async () => {
      const found = await reading.aggregate<{ _id: { table?: string | null; code: string }; count: number }>([
        { $group: { _id: { table: "$table", code: "$refusal.code" }, count: { $sum: 1 } } },
      ]);
      return found
        .map(({ _id: { table = null, code }, count: records }) => ({
          table: table === null ? null : textOf(table),
          code,
          count: records,
        }))
        .sort((a, b) => order(a.table ?? "", b.table ?? "") || order(a.code, b.code));
    },
  };
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function documentOf({ record, table, refusal, atMs }: Quarantined, n: number): Stored {
  const { topic, partition, offset, timestampMs, headers, key, value } = record;
  const room = MAX_BYTES - Math.min(key?.length ?? 0, MAX_BYTES / 2);
  return {
    _id: hashOf([topic, String(partition), offset, refusal.code, key, value]),
    topic: keptText(topic),
    partition,
    offset,
    table: table === null ? null : keptText(table),
    refusal: stored(refusal),
    atMs,
    n,
    timestampMs,
    headers: stored(headers),
    key: bytesOf(key, MAX_BYTES / 2),
    value: bytesOf(value, room),
  };
}

function bytesOf(bytes: Uint8Array | null, room: number): StoredBytes | null {
  if (bytes === null) return null;
  const head = bytes.subarray(0, EXCERPT_BYTES);
  const rest = bytes.subarray(EXCERPT_BYTES, room);
  return { head, bytes: bytes.length, ...(rest.length > 0 && { rest }) };
}

/** Of several parts, each with its length, so that no byte may pass from one to the next. */
function hashOf(parts: readonly (string | Uint8Array | null)[]): string {
  const hash = createHash("sha256");
  for (const part of parts) {
    const bytes = typeof part === "string" ? Buffer.from(part, "utf16le") : part;
    hash.update(bytes === null ? "-," : `${bytes.length},`);
    if (bytes !== null) hash.update(bytes);
  }
  return hash.digest("base64url");
}

/** The last put aside first: by clock, then in the order one process put them, then in any fixed one. */
async function list(
  collection: MongoCollection,
  { table, first, after }: QuarantineQuery,
): Promise<Listing<QuarantinedRecord>> {
  const filter: Record<string, unknown> = table === null ? {} : { table: keptText(table) };
  if (after !== null) {
    const [atMs, n, _id] = readCursor("quarantine", after, ["number", "number", "text"]);
    filter["atMs"] = { $lte: atMs };
    filter["$or"] = [{ atMs: { $lt: atMs } }, { n: { $lt: n } }, { n, _id: { $lt: _id } }];
  }
  const found = await collection.find<StoredRecord>({
    filter,
    fields: { "key.rest": 0, "value.rest": 0 },
    sort: { atMs: -1, n: -1, _id: -1 },
    limit: first + 1,
  });
  return {
    items: found.slice(0, first).map((each) => ({
      item: recordOf(each),
      cursor: writeCursor("quarantine", [each.atMs, each.n, each._id]),
    })),
    hasNext: found.length > first,
  };
}

function recordOf({
  topic,
  partition,
  offset,
  table,
  refusal,
  atMs,
  key,
  value,
}: StoredRecord): QuarantinedRecord {
  return {
    origin: { topic: textOf(topic), partition, offset },
    table: table === null ? null : textOf(table),
    refusal: restored(refusal) as Refusal,
    atMs,
    key: excerptOf(key),
    value: excerptOf(value),
  };
}

function excerptOf(bytes: StoredBytes | null): Excerpt | null {
  return bytes === null ? null : { head: bytes.head, bytes: bytes.bytes };
}
