import { mkdirSync } from "node:fs";
import { dirname, resolve } from "node:path";
import Libsql from "libsql";
import { Customer360Error } from "../errors.ts";
import type { ErrorCode } from "../errors.ts";

/** What a column can hold here. 64-bit integers are kept as text: libsql rounds them. Booleans are 0 and 1. */
export type SqlValue = string | number | Uint8Array | null;

/** A statement prepared once. Rows come as tuples in column order. */
export interface Statement {
  /** Runs a write and answers how many rows it changed. */
  run(...parameters: SqlValue[]): number;
  /** The same with as many parameters as an array holds. */
  runAll(parameters: readonly SqlValue[]): number;
  all<Row extends readonly SqlValue[]>(...parameters: SqlValue[]): Row[];
  get<Row extends readonly SqlValue[]>(...parameters: SqlValue[]): Row | null;
}

/** One connection to a database file. Everything is synchronous: keep transactions short. */
export interface Sqlite {
  /** The prepared statement of this text; prepared at its first use, then reused. */
  prepare(sql: string): Statement;
  /** The same for a text that hardly comes twice: it is not kept, for a long one takes a megabyte. */
  prepareOnce(sql: string): Statement;
  exec(sql: string): void;
  /** Runs `work` in one transaction; `write` takes the write lock at once. A throw rolls back. */
  transaction<T>(mode: "read" | "write", work: () => T): T;
  close(): void;
}

/** How to open a database file. */
export interface SqliteOptions {
  /** File path; its folder is made when missing. */
  readonly path: string;
  /**
   * `always` syncs the write-ahead log at each commit, which makes durable every earlier commit of any connection to the
   * file; `checkpoint` leaves that to the next such commit or checkpoint. A killed process loses nothing in either case.
   */
  readonly sync: "always" | "checkpoint";
  /** Schema version: a file of a later version is refused. */
  readonly version: number;
  /** Statements that make the tables where they do not exist. */
  readonly schema: string;
  /** What turns the tables of a version into those of the next; a version without an entry needs nothing. */
  readonly migrations?: Readonly<Record<number, string>>;
  /** Code of failures of this database. */
  readonly code: ErrorCode;
  /** How long a statement waits for another process to finish its own, milliseconds. Default 5,000. */
  readonly busyMs?: number;
}

/** "C360", to tell our files from those of other programs. */
const APPLICATION_ID = 0x43333630;

/** Most documents fit into one page of this size; with SQLite's usual 4,096 each write of one goes through a chain of pages. */
const PAGE_BYTES = 8_192;

/** Customers of a batch lie all over the tables: a cache that does not hold the pages in use reads them again and again. */
const CACHE_KIB = 65_536;

/** 64 MB of log: a page written by several batches is copied to its place once. */
const CHECKPOINT_PAGES = 8_192;

/** Statements kept prepared; filters make new ones without end. */
const MAX_STATEMENTS = 1_000;

const BUSY_TIMEOUT_MS = 5_000;

/** Opens a database file, checks its version and makes its tables. */
export function openSqlite(options: SqliteOptions): Sqlite {
  const { path, code } = options;
  const failed = (error: unknown) => failure(error, { path, code });
  let database: Libsql.Database;
  try {
    mkdirSync(dirname(resolve(path)), { recursive: true });
    database = new Libsql(path, { timeout: options.busyMs ?? BUSY_TIMEOUT_MS });
    database.exec(`PRAGMA page_size = ${PAGE_BYTES}; PRAGMA journal_mode = WAL`);
    database.exec(`PRAGMA synchronous = ${options.sync === "always" ? "FULL" : "NORMAL"}`);
    database.exec(`PRAGMA cache_size = -${CACHE_KIB}; PRAGMA temp_store = MEMORY`);
    database.exec(`PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
  } catch (error) {
    if (isDamaged(error)) throw failed(error);
    throw new Customer360Error(code, `cannot open the database ${path}`, { cause: error });
  }
  const sqlite = connection(database, failed);
  try {
    prepareSchema(sqlite, options);
  } catch (error) {
    sqlite.close();
    throw error;
  }
  return sqlite;
}

/** Reads from a database file that exists, as it is: nothing is brought up to date, and another process may be writing it. */
export function readSqlite<T>(path: string, code: ErrorCode, read: (db: Sqlite) => T): T {
  const failed = (error: unknown) => failure(error, { path, code });
  let database: Libsql.Database;
  try {
    database = new Libsql(path, { readonly: true, timeout: BUSY_TIMEOUT_MS });
  } catch (error) {
    throw new Customer360Error(code, `cannot open the database ${path}`, { cause: error });
  }
  try {
    return read(connection(database, failed));
  } finally {
    database.close();
  }
}

/** What a file says of itself. One without tables has version 0 and is anybody's. */
export function versionOf(db: Sqlite): { readonly version: number; readonly isOurs: boolean } {
  const application = pragma(db, "application_id");
  return { version: pragma(db, "user_version"), isOurs: application === 0 || application === APPLICATION_ID };
}

/** Refuses files of other programs and of later versions, then brings older ones up to date and makes what is missing. */
function prepareSchema(sqlite: Sqlite, { path, version, schema, migrations }: SqliteOptions): void {
  sqlite.transaction("write", () => {
    const { version: found, isOurs } = versionOf(sqlite);
    if (!isOurs) throw new Customer360Error("STORE_INCOMPATIBLE", `${path} is a database of another program`);
    if (found > version)
      throw new Customer360Error(
        "STORE_INCOMPATIBLE",
        `${path} was written by a newer customer360 (schema ${found}, this program knows ${version})`,
      );
    // A file without tables has no version either.
    for (let from = found; from > 0 && from < version; from += 1) sqlite.exec(migrations?.[from] ?? "");
    sqlite.exec(schema);
    sqlite.exec(`PRAGMA user_version = ${version}; PRAGMA application_id = ${APPLICATION_ID}`);
  });
}

function pragma(sqlite: Sqlite, name: string): number {
  return sqlite.prepare(`PRAGMA ${name}`).get<[number]>()?.[0] ?? 0;
}

function connection(database: Libsql.Database, failed: (error: unknown) => unknown): Sqlite {
  const statements = new Map<string, Statement>();
  let open = true;
  const guarded = <T>(work: () => T): T => {
    if (!open) throw new Error("the database is closed");
    try {
      return work();
    } catch (error) {
      throw failed(error);
    }
  };
  const exec = (sql: string): void => guarded(() => void database.exec(sql));
  const within = <T>(begin: string, work: () => T): T => {
    exec(begin);
    try {
      const result = work();
      exec("COMMIT");
      return result;
    } catch (error) {
      if (database.inTransaction) exec("ROLLBACK");
      throw error;
    }
  };
  const prepareOnce = (sql: string): Statement =>
    wrap(
      guarded(() => database.prepare<SqlValue[]>(sql)),
      guarded,
    );
  return {
    exec,
    prepareOnce,
    prepare(sql) {
      let statement = statements.get(sql);
      if (statement === undefined) {
        statement = prepareOnce(sql);
        if (statements.size >= MAX_STATEMENTS) statements.clear();
        statements.set(sql, statement);
      }
      return statement;
    },
    transaction: (mode, work) => within(mode === "write" ? "BEGIN IMMEDIATE" : "BEGIN", work),
    close() {
      if (!open) return;
      // Another process may be reading; then its own close checkpoints.
      try {
        database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
      } finally {
        open = false;
        statements.clear();
        database.close();
      }
    },
  };
}

/** libsql adds `_metadata` to row objects, and takes a lone null for an object of named parameters: so tuples and arrays only. */
function wrap(statement: Libsql.Statement<SqlValue[]>, guarded: <T>(work: () => T) => T): Statement {
  const raw = statement as unknown as {
    run(parameters: readonly SqlValue[]): { changes: number };
    all(parameters: SqlValue[]): unknown;
    get(parameters: SqlValue[]): unknown;
  };
  let rows = false;
  const asRows = () => {
    if (!rows) statement.raw();
    rows = true;
  };
  return {
    run: (...parameters) => guarded(() => raw.run(parameters).changes),
    runAll: (parameters) => guarded(() => raw.run(parameters).changes),
    all: <Row extends readonly SqlValue[]>(...parameters: SqlValue[]) =>
      guarded(() => {
        asRows();
        return raw.all(parameters) as Row[];
      }),
    get: <Row extends readonly SqlValue[]>(...parameters: SqlValue[]) =>
      guarded(() => {
        asRows();
        return (raw.get(parameters) as Row | undefined) ?? null;
      }),
  };
}

/**
 * Failures of the world by their SQLite code, which pass or can be helped;
 * anything else (bad SQL, a broken constraint) is a bug and stays as it is.
 */
const WORLDLY = /^SQLITE_(BUSY|LOCKED|IOERR|FULL|READONLY|CANTOPEN|PERM|NOMEM)/;
/** What no waiting repairs. */
const DAMAGED = /^SQLITE_(CORRUPT|NOTADB)/;

function reasonOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}

function isDamaged(error: unknown): boolean {
  return DAMAGED.test(reasonOf(error));
}

function failure(error: unknown, { path, code }: { path: string; code: ErrorCode }): unknown {
  const reason = reasonOf(error);
  if (isDamaged(error))
    return new Customer360Error(
      "STORE_DAMAGED",
      `${path} is damaged (${reason}): restore it from a backup, or remove it and read everything anew`,
      { cause: error },
    );
  const full = reason.startsWith("SQLITE_FULL") ? ": there is no room left" : "";
  return WORLDLY.test(reason)
    ? new Customer360Error(code, `sqlite: ${reason} on ${path}${full}`, { cause: error })
    : error;
}
