import { isUtf8 } from "node:buffer";
import type { SourceRecord } from "../../cdc/change.ts";
import { Scanner } from "../../cdc/reading/scanner.ts";
import type { TablePlan } from "../../cdc/table.ts";
import type { Unreadable } from "../source.ts";
import type { Piece } from "./lines.ts";
import { namesake, strangerReason } from "./names.ts";

/** Turns the values of one file into records. */
export type RecordReader = (piece: Piece, timestampMs: number) => SourceRecord | Unreadable;

/** Which file it is. */
export interface FileIdentity {
  /** Relative to the watched folder, with `/`. */
  readonly path: string;
  /** The topic of its checkpoint: names the path and the head, so tells it from others that bore the path. */
  readonly topic: string;
}

/**
 * A value is a captured record when it names its `topic` and `offset` and has a `value` or `payload` (what `kcat -J` prints);
 * it then goes the way it would from Kafka. Anything else is a bare change of the table or topic the file is named after.
 */
export function recordReader(file: FileIdentity, tables: readonly TablePlan[]): RecordReader {
  const topic = namesake(file.path, tables)?.topic;
  const partition = hash31(file.topic);
  return (piece, timestampMs) => {
    const { bytes, index } = piece;
    const offset = String(index);
    const origin = { topic: file.topic, partition: 0, offset };
    if (bytes === null) return { origin, reason: "longer than a record may be", bytes: null };
    const captured = capturedRecord(bytes, timestampMs);
    if (typeof captured === "string") return { origin, reason: captured, bytes };
    if (captured !== null) return captured;
    if (topic !== undefined && bytes[0] === 0x7b)
      return { topic, partition, offset, timestampMs, key: null, value: bytes, headers: {} };
    const reason =
      topic === undefined ? strangerReason(file.path, tables) : "neither a captured record nor a JSON object";
    return { origin, reason, bytes };
  };
}

/** True for what could not be read. */
export function isUnreadable(read: SourceRecord | Unreadable): read is Unreadable {
  return "origin" in read;
}

/** FNV-1a over UTF-16 code units, cut to what a partition number may be. */
function hash31(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash >>> 1;
}

interface Span {
  readonly start: number;
  readonly end: number;
}

/** The record a line was captured from, bytes exact; null when it is none, a reason when its bytes cannot be told from the text. */
function capturedRecord(bytes: Buffer, timestampMs: number): SourceRecord | string | null {
  const members = membersOf(bytes);
  const text = (name: string): string | null => {
    const span = members?.get(name);
    return span === undefined ? null : bytes.toString("utf8", span.start, span.end);
  };
  const value = members?.has("value") ? "value" : "payload";
  const topic = plainText(text("topic"));
  const offset = plainText(text("offset"));
  const partition = Number(plainText(text("partition")) ?? "0");
  if (!members?.has(value) || topic === null || offset === null || !/^\d+$/.test(offset)) return null;
  if (!Number.isSafeInteger(partition)) return null;
  const lost = ["topic", "key", value, "headers"].find((name) => {
    const span = members.get(name);
    const isText = span !== undefined && (name === "headers" || bytes[span.start] === QUOTE);
    return isText && !isExact(bytes.subarray(span.start, span.end));
  });
  if (lost !== undefined)
    return `"${lost}" of the captured record is no text in UTF-8: which bytes it had cannot be told`;
  return {
    topic,
    partition,
    offset: offset.replace(/^0+(?=\d)/, ""),
    timestampMs: milliseconds(plainText(text("timestamp") ?? text("ts"))) ?? timestampMs,
    key: content(bytes, members.get("key")),
    value: content(bytes, members.get(value)),
    headers: headersOf(text("headers")),
  };
}

/** Where the members of an object stand in its bytes; null for anything that is no plain JSON object. */
function membersOf(bytes: Buffer): ReadonlyMap<string, Span> | null {
  const scanner = new Scanner(bytes);
  if (!scanner.openObject()) return null;
  const members = new Map<string, Span>();
  for (let next = scanner.nextMember(true); next !== "end"; next = scanner.nextMember(false)) {
    const name = next === "name" ? scanner.name() : null;
    if (name === null) return null;
    scanner.peek();
    const start = scanner.at;
    if (!scanner.skip()) return null;
    members.set(name, { start, end: scanner.at });
  }
  return scanner.peek() === -1 ? members : null;
}

/** A text or number as text; null for null, absent and anything else. */
function plainText(json: string | null): string | null {
  if (json === null) return null;
  if (!json.startsWith('"')) return /^-?\d+$/.test(json) ? json : null;
  const text: unknown = JSON.parse(json);
  return typeof text === "string" ? text : null;
}

function milliseconds(text: string | null): number | null {
  const ms = text === null ? NaN : Number(text);
  return Number.isSafeInteger(ms) && ms >= 0 ? ms : null;
}

/** False for JSON whose text would be changed by reading it, without a word: invalid UTF-8, or a text with half a character. */
function isExact(raw: Buffer): boolean {
  if (!isUtf8(raw)) return false;
  return raw[0] !== QUOTE || !raw.includes("\\u") || !HALF.test(String(JSON.parse(raw.toString("utf8"))));
}

const QUOTE = 0x22;
const HALF = /\p{Surrogate}/u;

/** A key or value: JSON text is unpacked, anything else was JSON before it was embedded and keeps its bytes. */
function content(bytes: Buffer, span: Span | undefined): Uint8Array | null {
  if (span === undefined) return null;
  const raw = bytes.subarray(span.start, span.end);
  if (raw.equals(NULL)) return null;
  return raw[0] === QUOTE ? Buffer.from(String(JSON.parse(raw.toString("utf8")))) : raw;
}

const NULL = Buffer.from("null");

/** Headers as an object, or as kcat prints them: names and values in turn. */
function headersOf(json: string | null): Readonly<Record<string, string>> {
  const parsed: unknown = json === null ? null : JSON.parse(json);
  if (Array.isArray(parsed)) {
    const pairs = parsed.flatMap((name: unknown, at) =>
      at % 2 === 0 ? [[name, parsed[at + 1]] as const] : [],
    );
    return textsOf(pairs);
  }
  return parsed !== null && typeof parsed === "object" ? textsOf(Object.entries(parsed)) : {};
}

function textsOf(pairs: readonly (readonly [unknown, unknown])[]): Readonly<Record<string, string>> {
  const texts = pairs.flatMap(([name, value]) =>
    typeof name === "string" && typeof value === "string" ? [[name, value] as const] : [],
  );
  return Object.fromEntries(texts);
}
