import type { Change, Op, Position, Refusal, RefusalCode, SourceRecord, Value, Values } from "./change.ts";
import { trimDecimal } from "./columns/decimals.ts";
import { canonicalText, keyText, Misfit } from "./columns/values.ts";
import type { Envelope, KeyRow } from "./envelope.ts";
import { MadeChange } from "./made-change.ts";
import { binlogComponents, type BinlogPlace } from "./positions/binlog.ts";
import {
  compileComponent,
  epochText,
  integerPosition,
  positionOf,
  type ComponentEncoder,
} from "./positions/sequence.ts";
import { integerText, type Json } from "./reading/json.ts";
import { mayBeMadeUp, valueAt, type RowColumns } from "./reading/row-columns.ts";
import type { RawRow } from "./reading/row-reader.ts";
import type { TablePlan } from "./table.ts";

/** Why a record of this table cannot be a change. */
export class Refused {
  readonly refusal: Refusal;
  constructor(code: RefusalCode, reason: string) {
    this.refusal = { code, reason, rules: [] };
  }
}

/** One record, opened: what `RowMaker` makes a change of. */
export interface OpenedRecord {
  readonly record: SourceRecord;
  readonly envelope: Envelope;
  /** The message key, when it is an object. */
  readonly key: KeyRow | null;
  /** The row key's texts, when the message key has them all. */
  readonly keyParts: readonly string[] | null;
  readonly op: Op;
}

interface Carried {
  readonly set: Values;
  readonly partial: boolean;
  readonly withheld?: readonly string[];
}

interface SequenceColumn {
  readonly slot: number;
  readonly encode: ComponentEncoder;
}

const DELETED: Carried = { set: {}, partial: false };

/** Makes changes of one table's opened records: values, key, customer, page and position. */
export class RowMaker {
  readonly #table: TablePlan;
  readonly #keySlots: readonly number[];
  readonly #customerSlot: number;
  readonly #pageSlot: number;
  readonly #sequence: readonly SequenceColumn[] | null;
  /** The column that is the table's clock: whoever declares it says that the connector's own does not count. */
  readonly #clock: string | null;
  readonly #epoch: string;
  readonly #ignoresNull: readonly boolean[];
  readonly #names: readonly string[];
  /** A row whose columns are all null. */
  readonly #blank: Values;
  #lastPage = "?";

  /** Throws on a column that is named but not declared, or that cannot order rows: the plan should have refused it. */
  constructor(table: TablePlan) {
    const slotOf = (name: string): number => {
      const slot = table.columns.findIndex((column) => column.name === name);
      if (slot < 0) throw new Error(`table ${table.name} has no column ${name}`);
      return slot;
    };
    this.#table = table;
    this.#keySlots = table.key.map(slotOf);
    this.#customerSlot = slotOf(table.customer);
    this.#pageSlot = table.storage.kind === "paged" ? slotOf(table.storage.column) : -1;
    this.#sequence =
      table.sequence.kind === "log" ? null : sequenceColumns(table, table.sequence.columns, slotOf);
    this.#clock = clockOf(table);
    this.#epoch = epochText(table.epoch);
    this.#names = table.columns.map(({ name }) => name);
    this.#blank = blankOf(this.#names);
    this.#ignoresNull = this.#names.map((name) => table.ignoreNulls.has(name));
  }

  /** Whether the table finds its rows by columns, not by the records' coordinates. */
  get hasKey(): boolean {
    return this.#keySlots.length > 0;
  }

  /** The change a record stands for, or why it is none. */
  make(opened: OpenedRecord): Change | Refused {
    const { envelope } = opened;
    if (opened.op === "truncate") return this.#truncate(opened, null);
    if (opened.op === "delete") return this.#change(opened, "delete", null);
    if (envelope.after === null)
      return new Refused("unreadable", "says what a row became, but has no `after`");
    const carried = this.#carry(envelope.after, envelope.columns);
    if (carried instanceof Refused) return carried;
    const { truncateWhen, deleteWhen } = this.#table;
    if (truncateWhen?.(carried.set) === true) return this.#truncate(opened, carried);
    if (deleteWhen?.(carried.set) === true) return this.#change(opened, "delete", carried);
    return this.#change(opened, "upsert", carried);
  }

  #truncate(opened: OpenedRecord, carried: Carried | null): Change | Refused {
    const position = this.#position(opened, carried);
    if (position instanceof Refused) return position;
    const nobody = { key: "", customerId: null, page: null };
    return { ...this.#frame(opened, "truncate"), ...nobody, position, ...DELETED };
  }

  #change(opened: OpenedRecord, op: Op, carried: Carried | null): Change | Refused {
    const parts = this.#keyParts(opened, op);
    if (parts instanceof Refused) return parts;
    const position = this.#position(opened, carried);
    if (position instanceof Refused) return position;
    const page = this.#page(opened, carried, op);
    if (page instanceof Refused) return page;
    const customer = this.#find(opened, carried, this.#customerSlot);
    const customerId =
      customer === null || customer === undefined || customer === "" ? null : this.#text(customer);
    const { set, partial, withheld } = op === "upsert" && carried !== null ? carried : DELETED;
    const { record, envelope } = opened;
    const change: Change = {
      table: this.#table.name,
      op,
      key: keyText(parts),
      customerId,
      page,
      position,
      set,
      partial,
      origin: { topic: record.topic, partition: record.partition, offset: record.offset },
      sourceMs: this.#clock === null ? millisOf(envelope.sourceMs) : instantMs(carried?.set[this.#clock]),
      ingestedMs: record.timestampMs,
    };
    return withheld === undefined ? new MadeChange(change) : { ...change, withheld };
  }

  #text(value: Value): string {
    return this.#table.columns[this.#customerSlot]?.type === "decimal"
      ? trimDecimal(canonicalText(value))
      : canonicalText(value);
  }

  #frame(opened: OpenedRecord, op: Op): Pick<Change, "table" | "op" | "origin" | "sourceMs" | "ingestedMs"> {
    const { topic, partition, offset, timestampMs } = opened.record;
    return {
      table: this.#table.name,
      op,
      origin: { topic, partition, offset },
      sourceMs: millisOf(opened.envelope.sourceMs),
      ingestedMs: timestampMs,
    };
  }

  /** All declared columns that the row carries. A row that carries them all, as most do, is a copy of one shape. */
  #carry(row: RawRow, columns: RowColumns): Carried | Refused {
    const set: Record<string, Value> = { ...this.#blank };
    const absent: string[] = [];
    const names = this.#names;
    for (let slot = 0; slot < names.length; slot++) {
      const raw = row[slot];
      const name = names[slot] ?? "";
      if (raw === null && this.#ignoresNull[slot] !== true) continue;
      const value = raw === undefined || raw === null ? undefined : columns.decoders[slot]?.(raw);
      if (value === undefined) absent.push(name);
      else if (value instanceof Misfit) return new Refused("bad-value", `column ${name} ${value.reason}`);
      else set[name] = value;
    }
    if (absent.length === 0) return { set, partial: false };
    const withheld = absent.filter((name) => row[names.indexOf(name)] !== undefined);
    const carried = { set: without(set, absent), partial: true };
    return withheld.length === 0 ? carried : { ...carried, withheld };
  }

  /** The key's texts: from the message key if it has all its columns, else from `before`, else from the new row. */
  #keyParts(opened: OpenedRecord, op: Op): readonly string[] | Refused {
    const { record, envelope, keyParts } = opened;
    if (this.#keySlots.length === 0) {
      if (op === "upsert") return [record.topic, String(record.partition), record.offset];
      return new Refused("missing-key", "is a delete, but the table declares no key to find the row by");
    }
    if (keyParts !== null) return keyParts;
    const { before, after, columns } = envelope;
    const old = before === null ? null : this.partsOf({ row: before, columns });
    if (old !== null) return old;
    const parts = after === null ? null : this.partsOf({ row: after, columns });
    if (parts !== null) return parts;
    return new Refused("missing-key", `lacks a value for the key (${this.#table.key.join(", ")})`);
  }

  /** The row key's texts; null when a key column is null or missing there. */
  partsOf({ row, columns }: KeyRow): readonly string[] | Refused | null {
    const parts: string[] = [];
    for (const slot of this.#keySlots) {
      const value = valueAt(row, columns, slot);
      if (value === null || value === undefined) return null;
      const column = this.#table.columns[slot];
      if (value instanceof Misfit)
        return new Refused("bad-value", `key column ${column?.name ?? ""} ${value.reason}`);
      const text = canonicalText(value);
      parts.push(column?.type === "decimal" ? trimDecimal(text) : text);
    }
    return parts;
  }

  /**
   * A column outside the key of the row, wherever the record tells it: the new row, the message key, or what `before` cannot
   * have made up. Undefined when it does not tell; null when it says null.
   */
  #find(opened: OpenedRecord, carried: Carried | null, slot: number): Value | undefined {
    const column = this.#table.columns[slot];
    if (column === undefined) return undefined;
    if (carried !== null && (!carried.partial || Object.hasOwn(carried.set, column.name)))
      return carried.set[column.name];
    const { key, envelope } = opened;
    const { before, after, columns } = envelope;
    const fromKey = key === null ? null : valueAt(key.row, key.columns, slot);
    if (fromKey !== null && !(fromKey instanceof Misfit)) return fromKey;
    // Only a record without a new row has its old row read for anything but the key.
    const old = before === null || after !== null ? null : valueAt(before, columns, slot);
    if (old === null || old instanceof Misfit) return undefined;
    if (this.#keySlots.includes(slot)) return old;
    return mayBeMadeUp(old, column, columns.defaults[slot]) ? undefined : old;
  }

  #page(opened: OpenedRecord, carried: Carried | null, op: Op): string | null | Refused {
    const { storage } = this.#table;
    if (storage.kind === "inline") return null;
    const value = this.#find(opened, carried, this.#pageSlot);
    const length = storage.period === "month" ? 7 : 10;
    const text = typeof value === "string" && beginsWithDate(value) ? this.#pageAt(value, length) : null;
    if (text !== null || value === undefined || op === "delete") return text;
    const what = value === null ? "is null" : "is beyond the calendar";
    return new Refused("missing-page", `column ${storage.column}, which pages the table, ${what}`);
  }

  /** Neighbours mostly share their page, and so its text. */
  #pageAt(value: string, length: number): string {
    if (!value.startsWith(this.#lastPage)) this.#lastPage = value.slice(0, length);
    return this.#lastPage;
  }

  #position(opened: OpenedRecord, carried: Carried | null): Position | Refused {
    const isSnapshot = opened.envelope.op === "r";
    if (this.#sequence === null) return this.#logPosition(opened.envelope, isSnapshot);
    let components = "";
    for (const { slot, encode } of this.#sequence) {
      const value = this.#find(opened, carried, slot);
      const component = value === undefined || value === null ? null : encode(value);
      if (component === null) return this.#missingSequence(slot, opened.op);
      components += component;
    }
    return positionOf(this.#epoch, components, isSnapshot);
  }

  /** Rows of an incremental snapshot have no log position: they stand below everything. */
  #logPosition(envelope: Envelope, isSnapshot: boolean): Position | Refused {
    const { lsn, binlog } = envelope;
    const position =
      lsn === null || lsn === undefined
        ? this.#binlogPosition(binlog, isSnapshot)
        : integerPosition(this.#epoch, integerText(lsn), isSnapshot);
    if (position !== null) return position;
    return new Refused(
      "missing-sequence",
      "has no position in the log of a PostgreSQL (source.lsn), MySQL or MariaDB (source.file, pos); declare sequenceBy",
    );
  }

  #binlogPosition(binlog: BinlogPlace | undefined, isSnapshot: boolean): Position | null {
    const components = binlog === undefined ? (isSnapshot ? ZERO : null) : binlogComponents(binlog);
    return components === null ? null : positionOf(this.#epoch, components, isSnapshot);
  }

  #missingSequence(slot: number, op: Op): Refused {
    const name = this.#table.columns[slot]?.name ?? "";
    const remedy =
      op === "upsert"
        ? ""
        : "; deletes and truncates carry none unless the database logs whole rows (REPLICA IDENTITY FULL)";
    return new Refused("missing-sequence", `has no usable value in ${name}, which orders the table${remedy}`);
  }
}

const ZERO = "1010";

/** Read from text, because the engine gives an object that it reads room for all its members in one piece. */
function blankOf(names: readonly string[]): Values {
  return JSON.parse(`{${names.map((name) => `${JSON.stringify(name)}:null`).join(",")}}`) as Values;
}

function sequenceColumns(
  table: TablePlan,
  names: readonly string[],
  slotOf: (name: string) => number,
): readonly SequenceColumn[] {
  return names.map((name) => {
    const slot = slotOf(name);
    const column = table.columns[slot];
    if (column === undefined) throw new Error(`table ${table.name} has no column ${name}`);
    return { slot, encode: compileComponent(column) };
  });
}

function without(set: Values, absent: readonly string[]): Values {
  const kept: Record<string, Value> = {};
  for (const [name, value] of Object.entries(set)) if (!absent.includes(name)) kept[name] = value;
  return kept;
}

/** Whether a text begins like `2024-05-17`. */
function beginsWithDate(text: string): boolean {
  for (let at = 0; at < 10; at++) {
    const code = text.charCodeAt(at);
    if (at === 4 || at === 7 ? code !== 0x2d : !(code >= 0x30 && code <= 0x39)) return false;
  }
  return true;
}

/** The first column of a declared sequence, when it holds instants. */
function clockOf({ sequence, columns }: TablePlan): string | null {
  if (sequence.kind === "log") return null;
  const first = columns.find(({ name }) => name === sequence.columns[0]);
  return first?.type === "timestamp" ? first.name : null;
}

function instantMs(value: Value | undefined): number | null {
  const ms = typeof value === "string" ? Date.parse(value) : Number.NaN;
  return Number.isNaN(ms) ? null : ms;
}
function millisOf(json: Json | undefined): number | null {
  return typeof json === "number" && json > 0 ? json : null;
}
