import { randomUUID } from "node:crypto";

/** Why a batch of records could not be unpacked. */
export type UnreadBatch = "too-large" | "broken";

/**
 * Record batches that cannot be unpacked.
 *
 * A codec of the client library sees packed bytes only: not whose they are, not how to leave them out. Throwing stops the whole
 * consumer. But the bytes are a view of the response they came in, right behind the header of their batch, and the header says how
 * many records follow and at which offsets. So the codec answers as many empty records, marked by a header that only this process
 * knows; what receives them turns the marked ones into one report with coordinates, and the partition goes on behind the batch.
 */
const HEADER_BYTES = 61;
/** The client library spreads the records of a batch over the stack, which surely holds so many. */
const MOST_RECORDS = 50_000;
const MARK = `unread-${randomUUID()}`;
const LETTER: Readonly<Record<UnreadBatch, string>> = { "too-large": "L", broken: "B" };

/** Stand-ins for the records of a packed batch. Throws, which ends ingest for good, when its header cannot be made out. */
export function standIns(packed: Buffer, why: UnreadBatch): Buffer {
  const { count, lastDelta } = headerOf(packed, why);
  const records: Buffer[] = [];
  for (let at = 0; at < count; at += 1)
    // The last one stands at the end of the batch, wherever compaction left holes.
    records.push(standIn(at === count - 1 ? lastDelta : at, why));
  return Buffer.concat(records);
}

/** Why a record is but a stand-in, or null for a real one. */
export function unreadOf(headers: Readonly<Record<string, unknown>> | undefined): UnreadBatch | null {
  const mark = headers?.[MARK];
  if (mark === undefined) return null;
  return String(mark) === LETTER["too-large"] ? "too-large" : "broken";
}

interface Header {
  readonly count: number;
  readonly lastDelta: number;
}

function headerOf(packed: Buffer, why: UnreadBatch): Header {
  if (packed.byteOffset < HEADER_BYTES) throw stop(`a packed batch of records is ${why}`);
  const header = Buffer.from(packed.buffer, packed.byteOffset - HEADER_BYTES, HEADER_BYTES);
  const isWhole = header.readInt32BE(8) === HEADER_BYTES - 12 + packed.length && header.readInt8(16) === 2;
  const found = { count: header.readInt32BE(57), lastDelta: header.readInt32BE(23) };
  if (!isWhole || found.count < 1 || found.lastDelta < found.count - 1 || found.count > MOST_RECORDS)
    throw stop(`the batch of ${found.count} records at offset ${header.readBigInt64BE(0)} is ${why}`);
  return found;
}

/** An error that the client library does not try again. */
function stop(message: string): Error {
  return Object.assign(new Error(message), { retriable: false });
}

/** A record without key and value: its length, attributes, no time, its distance from the first, and the mark as its only header. */
function standIn(delta: number, why: UnreadBatch): Buffer {
  const mark = Buffer.from(MARK);
  const body = Buffer.concat([
    Buffer.from([0, 0]),
    varint(delta),
    varint(-1),
    varint(-1),
    varint(1),
    varint(mark.length),
    mark,
    varint(1),
    Buffer.from(LETTER[why]),
  ]);
  return Buffer.concat([varint(body.length), body]);
}

/** A signed number in Kafka's way: the sign in the lowest bit, seven bits a byte. */
function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value < 0 ? -value * 2 - 1 : value * 2;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) + 0x80);
  bytes.push(rest);
  return Buffer.from(bytes);
}
