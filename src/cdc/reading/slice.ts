import { declaresWrapper, flatEnvelope, FLAT_FIELDS, type Envelope, type KeyRow } from "../envelope.ts";
import { BINLOG_FIELDS, isFile } from "../positions/binlog.ts";
import type { TablePlan } from "../table.ts";
import type { Wanted } from "./outline.ts";
import { compileRow, type RowColumns } from "./row-columns.ts";
import { END, NameOrder, RowReader, UNCLEAR, UNWANTED, type RawRow } from "./row-reader.ts";
import { Scanner } from "./scanner.ts";
import { SchemaCache } from "./schema-cache.ts";
import { Stencils } from "./stencils.ts";

/** Readers of one table's records, shared by the fast path and the full one, so that both fill the same slots. */
export interface Readers {
  readonly value: RowReader;
  readonly key: RowReader;
}

/** The readers of a table: its columns, and for flat rows the connector's own fields behind them. */
export function readersOf(table: TablePlan): Readers {
  const names = table.columns.map(({ name }) => name);
  const exact = table.columns
    .filter(({ type }) => type === "bigint" || type === "decimal")
    .map(({ name }) => name);
  const unclear = declaresWrapper(table) ? [] : WRAPPER;
  const key = new RowReader(names, unclear, exact);
  if (table.format === "debezium") return { value: new RowReader(names, [], exact), key };
  const fields = FLAT_FIELDS.filter((name) => !names.includes(name));
  return { value: new RowReader([...names, ...fields], unclear, exact), key };
}

/** What has been found of an envelope so far; each member may come once. */
interface Found {
  op: string | null;
  before: RawRow | null;
  beforeAt: number;
  after: RawRow | null;
  source: RawRow | null;
  columns: RowColumns;
  seen: number;
}

const WRAPPER = ["payload", "schema"];
const PAYLOAD = 0;
const SCHEMA = 1;
const ENVELOPE = ["before", "after", "source", "op"];
const BEFORE = 2;
const AFTER = 3;
const SOURCE = 4;

/** Where a record begins to be compared with known shapes, and the decoders of its columns. */
interface Begin {
  readonly from: number;
  readonly columns: RowColumns;
}

const WITH_SCHEMA = Buffer.from('{"schema":');
const OPEN_OBJECT = 0x7b;
const LETTER_N = 0x6e;
const SCHEMA_NAME = Buffer.from('"schema":');
const PAYLOAD_NAME = Buffer.from('"payload":');

/**
 * The fast path: takes from a record's bytes what its table needs and passes over the rest. Answers null whenever a record is
 * not of the usual shape; `openValue` and `openKey` then read it in full, so null is never wrong, only slow.
 */
export class Slicer {
  readonly #table: TablePlan;
  readonly #readers: Readers;
  readonly #plain: RowColumns;
  readonly #valueSchemas: SchemaCache;
  readonly #keySchemas: SchemaCache;
  readonly #outer = new NameOrder([...WRAPPER, ...ENVELOPE]);
  // Within a payload the wrapper's names mean nothing; the slots stay the same.
  readonly #inner = new NameOrder(["", "", ...ENVELOPE]);
  readonly #wrapper = new NameOrder(WRAPPER);
  readonly #source = new RowReader(["lsn", "ts_ms", ...BINLOG_FIELDS], [], ["lsn", "pos", "row"]);
  readonly #scanner = new Scanner(Buffer.alloc(0));
  readonly #stencils: Stencils;

  constructor(table: TablePlan, readers: Readers) {
    this.#table = table;
    this.#readers = readers;
    this.#plain = compileRow(table, null);
    this.#valueSchemas = new SchemaCache(table);
    this.#keySchemas = new SchemaCache(table);
    this.#stencils = new Stencils(wantedOf(readers.value, this.#source), {
      empty: Array.from(
        { length: readers.value.names.length + 1 + this.#source.names.length },
        () => undefined,
      ),
      asDigits: [...readers.value.asDigits, false, ...this.#source.asDigits],
      scanner: this.#scanner,
    });
  }

  /** Opens a value. `needsBefore`: the old row is wanted even if there is a new one. */
  value(bytes: Buffer, needsBefore: boolean): Envelope | null {
    if (this.#table.format === "flat") {
      this.#scanner.reset(bytes);
      const row = this.#row(this.#readers.value, this.#valueSchemas);
      return row === null ? null : flatEnvelope(row, this.#readers.value, this.#table);
    }
    return (needsBefore ? null : this.#known(bytes)) ?? this.#unknown(bytes, needsBefore);
  }

  /** A record of a shape met before. */
  #known(bytes: Buffer): Envelope | null {
    const begin = this.#begin(bytes);
    const values = begin === null ? null : this.#stencils.read(bytes, begin.from);
    if (begin === null || values === null) return null;
    const [op, lsn, sourceMs, file, pos, row] = values.slice(this.#readers.value.names.length);
    if (typeof op !== "string") return null;
    const binlog = isFile(file) ? { file, pos, row } : undefined;
    return { op, before: null, after: values, lsn, binlog, sourceMs, columns: begin.columns };
  }

  /** Where a record's shape begins: behind an embedded schema, which has a memory of its own; null when that is unreadable. */
  #begin(bytes: Buffer): Begin | null {
    const scanner = this.#scanner;
    scanner.reset(bytes);
    if (!scanner.takeLiteral(WITH_SCHEMA)) return { from: 0, columns: this.#plain };
    const columns = this.#valueSchemas.take(scanner);
    return columns === null ? null : { from: scanner.at, columns };
  }

  /** A record walked over name by name, and then remembered by its shape. */
  #unknown(bytes: Buffer, needsBefore: boolean): Envelope | null {
    const scanner = this.#scanner;
    scanner.reset(bytes);
    const found = this.#nothing();
    if (!scanner.openObject() || !this.#readOuter(found) || !scanner.endsWell()) return null;
    if (found.op === null || !this.#readBefore(found, needsBefore)) return null;
    const { op, before, after, source } = found;
    const columns = hasSeen(found, PAYLOAD) ? found.columns : this.#plain;
    if (!needsBefore && after !== null) this.#stencils.learn(bytes, this.#begin(bytes)?.from ?? 0);
    const [lsn, sourceMs, file, pos, row] = source ?? [];
    const binlog = isFile(file) ? { file, pos, row } : undefined;
    return { op, before, after, lsn, binlog, sourceMs, columns };
  }

  /** Opens a message key; null also when it is no object at all. */
  key(bytes: Buffer): KeyRow | null {
    this.#scanner.reset(bytes);
    return this.#row(this.#readers.key, this.#keySchemas);
  }

  #nothing(): Found {
    return { op: null, before: null, beforeAt: -1, after: null, source: null, columns: this.#plain, seen: 0 };
  }

  /** The members of the outermost object: an envelope, or a wrapper around one, but never both at once. */
  #readOuter(found: Found): boolean {
    const scanner = this.#scanner;
    for (let place = 0; ; place++) {
      const slot = this.#outer.take(scanner, place);
      if (slot === END) return true;
      if (slot === UNWANTED) {
        if (!scanner.skip()) return false;
        continue;
      }
      if (slot === UNCLEAR || hasSeen(found, slot)) return false;
      const isInEnvelope = slot > SCHEMA;
      if (isInEnvelope ? hasSeen(found, PAYLOAD) : slot === PAYLOAD && found.seen >> BEFORE !== 0)
        return false;
      found.seen |= 1 << slot;
      if (!(isInEnvelope ? this.#readMember(found, slot) : this.#readWrapped(found, slot))) return false;
    }
  }

  #readWrapped(found: Found, slot: number): boolean {
    if (slot === PAYLOAD) return this.#scanner.openObject() && this.#readInner(found);
    const columns = this.#schema(this.#valueSchemas);
    if (columns !== null) found.columns = columns;
    return columns !== null;
  }

  #readInner(found: Found): boolean {
    const scanner = this.#scanner;
    for (let place = 0; ; place++) {
      const slot = this.#inner.take(scanner, place);
      if (slot === END) return true;
      if (slot <= SCHEMA) {
        if (slot === UNCLEAR || !scanner.skip()) return false;
        continue;
      }
      if (hasSeen(found, slot)) return false;
      found.seen |= 1 << slot;
      if (!this.#readMember(found, slot)) return false;
    }
  }

  #readMember(found: Found, slot: number): boolean {
    const scanner = this.#scanner;
    const byte = scanner.peek();
    if (slot <= SOURCE && byte === LETTER_N) return scanner.skip();
    switch (slot) {
      case BEFORE:
        found.beforeAt = scanner.at;
        return byte === OPEN_OBJECT && scanner.skip();
      case AFTER:
        found.after = this.#readers.value.read(scanner);
        return found.after !== null;
      case SOURCE:
        found.source = this.#source.read(scanner);
        return found.source !== null;
      default: {
        const op = scanner.value();
        if (typeof op === "string") found.op = op;
        return typeof op === "string";
      }
    }
  }

  /** Goes back for the old row if it is wanted. */
  #readBefore(found: Found, needsBefore: boolean): boolean {
    if (found.beforeAt < 0 || (!needsBefore && found.after !== null)) return true;
    this.#scanner.at = found.beforeAt;
    found.before = this.#readers.value.read(this.#scanner);
    return found.before !== null;
  }

  /** A row on its own: a key, or a flat value; plain, or in a wrapper that begins with the schema or the payload. */
  #row(reader: RowReader, schemas: SchemaCache): KeyRow | null {
    const scanner = this.#scanner;
    if (!scanner.openObject()) return null;
    scanner.peek();
    const isWrapped = scanner.startsWith(SCHEMA_NAME) || scanner.startsWith(PAYLOAD_NAME);
    if (isWrapped && !declaresWrapper(this.#table)) return this.#wrappedRow(reader, schemas);
    const row = reader.readMembers(scanner);
    return row !== null && scanner.endsWell() ? { row, columns: this.#plain } : null;
  }

  #wrappedRow(reader: RowReader, schemas: SchemaCache): KeyRow | null {
    const scanner = this.#scanner;
    let row: RawRow | null = null;
    let columns: RowColumns | null = null;
    for (let place = 0; ; place++) {
      const slot = this.#wrapper.take(scanner, place);
      if (slot === END) break;
      if (slot === PAYLOAD && row === null) {
        row = reader.read(scanner);
        if (row === null) return null;
      } else if (slot === SCHEMA && columns === null) {
        columns = this.#schema(schemas);
        if (columns === null) return null;
      } else if (slot !== UNWANTED || !scanner.skip()) return null;
    }
    return row !== null && columns !== null && scanner.endsWell() ? { row, columns } : null;
  }

  #schema(schemas: SchemaCache): RowColumns | null {
    if (this.#scanner.peek() !== LETTER_N) return schemas.take(this.#scanner);
    return this.#scanner.skip() ? this.#plain : null;
  }
}

/** What is wanted of an envelope: the columns of the new row, behind them the op, behind that what its source says. */
function wantedOf(row: RowReader, source: RowReader): Wanted {
  const slotsOf = (names: readonly string[], first: number): Wanted =>
    new Map(names.map((name, index) => [name, first + index]));
  const op = row.names.length;
  return new Map<string, number | Wanted>([
    ["before", new Map()],
    ["after", slotsOf(row.names, 0)],
    ["source", slotsOf(source.names, op + 1)],
    ["op", op],
  ]);
}

function hasSeen(found: Found, slot: number): boolean {
  return (found.seen & (1 << slot)) !== 0;
}
