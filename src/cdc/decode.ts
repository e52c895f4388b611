import type { Change, Op, Refusal, RefusalCode, Skip, SourceRecord } from "./change.ts";
import { openKey, openValue, skipOf, type KeyRow, type Opened } from "./envelope.ts";
import { parseLossless, type Json } from "./reading/json.ts";
import { readersOf, Slicer, type Readers } from "./reading/slice.ts";
import { Refused, RowMaker } from "./row.ts";
import type { TablePlan } from "./table.ts";
import { ownerOfTopics } from "./topics.ts";

/** What a record turned out to be. Never an exception: whatever the bytes, there is an answer. */
export type Decoded =
  | { readonly kind: "change"; readonly change: Change; readonly table: TablePlan }
  | { readonly kind: "skip"; readonly skip: Skip }
  /** `table`: the table that reads the record's topic. */
  | { readonly kind: "refused"; readonly table: string | null; readonly refusal: Refusal };

/** `full`: parse every record in full, never by slices; the same answers, slower. Tests hold both against each other. */
export type Reading = "sliced" | "full";

const BUILT_IN_OPS: ReadonlyMap<string, Op> = new Map([
  ["c", "upsert"],
  ["u", "upsert"],
  ["r", "upsert"],
  ["d", "delete"],
  ["t", "truncate"],
]);

/** Makes the decoder of a pipeline's tables. A topic that two tables name, or match, belongs to the first of them. */
export function createDecoder(
  tables: readonly TablePlan[],
  reading: Reading = "sliced",
): (record: SourceRecord) => Decoded {
  const decoders = tables.map((table) => new TableDecoder(table, reading));
  const decoderOf = ownerOfTopics(decoders);
  return (record) => decoderOf(record.topic)?.decode(record) ?? unmapped(record);
}

/** Decodes the records of one table's topics. */
class TableDecoder {
  readonly topics: readonly string[];
  readonly #table: TablePlan;
  readonly #readers: Readers;
  readonly #slicer: Slicer | null;
  readonly #maker: RowMaker;
  readonly #ops: ReadonlyMap<string, Op>;

  constructor(table: TablePlan, reading: Reading) {
    this.topics = table.topics;
    this.#table = table;
    this.#readers = readersOf(table);
    this.#slicer = reading === "sliced" ? new Slicer(table, this.#readers) : null;
    this.#maker = new RowMaker(table);
    this.#ops = new Map([...BUILT_IN_OPS, ...table.ops]);
  }

  decode(record: SourceRecord): Decoded {
    if (record.value === null || record.value.length === 0) return skipped("tombstone");
    const key = record.key === null ? null : this.#key(asBuffer(record.key));
    const keyParts = key === null ? null : this.#maker.partsOf(key);
    const opened = this.#value(asBuffer(record.value), keyParts === null && this.#maker.hasKey);
    if (opened.kind === "skip") return opened;
    if (opened.kind === "unreadable") return this.#refused("unreadable", opened.reason);
    const { envelope } = opened;
    const op = this.#op(envelope.op);
    if (op === null) {
      if (envelope.op === "m") return skipped("message");
      return this.#refused(
        "unknown-op",
        `has an op that neither Debezium nor table ${this.#table.name} knows`,
      );
    }
    const change =
      keyParts instanceof Refused ? keyParts : this.#maker.make({ record, envelope, key, keyParts, op });
    if (change instanceof Refused)
      return { kind: "refused", table: this.#table.name, refusal: change.refusal };
    return { kind: "change", change, table: this.#table };
  }

  #op(text: string | null): Op | null {
    return text === null ? "upsert" : (this.#ops.get(text) ?? null);
  }

  /** The message key, when it is an object: anything else (a random id, say) names no column. */
  #key(bytes: Buffer): KeyRow | null {
    if (!startsObject(bytes)) return null;
    const sliced = this.#slicer?.key(bytes);
    if (sliced !== undefined && sliced !== null) return sliced;
    const json = readJson(bytes);
    return json === undefined ? null : openKey(json, this.#table, this.#readers.key);
  }

  #value(bytes: Buffer, needsBefore: boolean): Opened {
    const envelope = this.#slicer?.value(bytes, needsBefore) ?? null;
    if (envelope !== null) return { kind: "envelope", envelope };
    const json = readJson(bytes);
    if (json === undefined)
      return { kind: "unreadable", reason: "is not JSON in UTF-8, or is nested too deep" };
    return openValue(json, this.#table, this.#readers.value);
  }

  #refused(code: RefusalCode, reason: string): Decoded {
    return { kind: "refused", table: this.#table.name, refusal: { code, reason, rules: [] } };
  }
}

/** A record of a topic that no table reads: told apart only to be counted. */
function unmapped(record: SourceRecord): Decoded {
  if (record.topic.startsWith("__debezium-heartbeat")) return skipped("heartbeat");
  const json = record.value === null ? undefined : readJson(asBuffer(record.value));
  return skipped((json === undefined ? null : skipOf(json)) ?? "unmapped-topic");
}

function skipped(skip: Skip): Decoded {
  return { kind: "skip", skip };
}

function readJson(bytes: Buffer): Json | undefined {
  try {
    return parseLossless(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function startsObject(bytes: Buffer): boolean {
  let at = 0;
  while (at < bytes.length && (bytes[at] ?? 0) <= 0x20) at++;
  return bytes[at] === 0x7b;
}
