import {
  type AnyBulkWriteOperation,
  type Collection,
  type Document,
  MongoBulkWriteError,
  MongoClient,
  type MongoClientOptions,
} from "mongodb";
import { Customer360Error } from "../../errors.ts";
import type { Stored } from "./documents/values.ts";
import { DUPLICATE_KEY, failureOf, isPassing, withoutSecrets } from "./failures.ts";

/** One write of a bulk; each is of one document. */
export type Write =
  { readonly insert: Stored } | { readonly update: Stored; readonly filter: Stored; readonly upsert?: true };

/** What became of an unordered bulk. */
export interface Written {
  /** Updates that found their document. Means nothing when some failed: servers count wrongly then. */
  readonly matched: number;
  /** Indexes of writes that met a unique key that is there already. */
  readonly duplicates: ReadonlySet<number>;
}

/** How documents are looked for. */
export interface Search {
  readonly filter: Stored;
  readonly fields?: Stored;
  readonly sort?: Readonly<Record<string, 1 | -1>>;
  readonly limit?: number;
}

/** An index as it is to be. */
export interface IndexSpec {
  readonly keys: Readonly<Record<string, 1 | -1>>;
  readonly sparse?: true;
}

/** One collection. All failures are told apart in mongo/failures.ts. */
export interface MongoCollection {
  find<T extends Stored>(search: Search): Promise<readonly T[]>;
  aggregate<T extends Stored>(stages: readonly Stored[]): Promise<readonly T[]>;
  count(filter: Stored): Promise<number>;
  /** Unordered: one that fails keeps no other from being done. */
  write(writes: readonly Write[]): Promise<Written>;
  createIndexes(specs: readonly IndexSpec[]): Promise<void>;
  /** Keys of the indexes there are, each as JSON text. */
  indexes(): Promise<readonly string[]>;
  /** How the server would go about a search: its winning plan. */
  explain(search: Search): Promise<unknown>;
  remove(filter: Stored): Promise<void>;
}

/** What kind of server answers: decides what can be asked of it. */
export interface ServerKind {
  readonly kind: "replica set" | "sharded cluster" | "single server";
  readonly version: string;
  /** Whether the driver may repeat a write by itself without doing it twice. */
  readonly retriesWrites: boolean;
}

/** One database of a server. */
export interface Mongo {
  /** Hosts and database, without credentials. */
  readonly where: string;
  /** For the path of a change: always the primary. */
  collection(name: string): MongoCollection;
  /** For the API: as the address says (`readPreference`). */
  readable(name: string): MongoCollection;
  kind(): Promise<ServerKind>;
  /** The server's clock, milliseconds since 1970; null when it does not tell. */
  nowMs(): Promise<number | null>;
  /** Removes the database with all that is in it; for tests. */
  drop(): Promise<void>;
  close(): Promise<void>;
}

/** Where the database is. */
export interface MongoOptions {
  /** `mongodb://` or `mongodb+srv://`, with credentials, TLS, database and read preference as usual. */
  readonly uri: string;
  /** Used when the address names none; default `customer360`. Tests give each run one of its own. */
  readonly database?: string;
}

const DEFAULTS: MongoClientOptions = {
  appName: "customer360",
  ignoreUndefined: true,
  promoteBuffers: true,
};
/** Milliseconds; each only where the address does not say it. */
const TIMEOUTS: MongoClientOptions = {
  serverSelectionTimeoutMS: 5_000,
  connectTimeoutMS: 5_000,
  socketTimeoutMS: 30_000,
};
const WRITE_TIMEOUT_MS = 20_000;
const SLACK_MS = 5_000;

/** Opens a database. Nothing is connected before the first call. Throws SETTINGS_INVALID for an address that is none. */
export function openMongo({ uri, database }: MongoOptions): Mongo {
  const client = clientOf(uri);
  const named = /^[^/]+\/\/[^/?]+\/([^?/]+)/.test(uri);
  const db = client.db(named ? undefined : (database ?? "customer360"));
  const hosts = client.options.srvHost ?? client.options.hosts.map(String).join(",");
  const where = `${hosts}/${db.databaseName}`;
  const writeConcern = { w: "majority" as const, journal: true, wtimeoutMS: WRITE_TIMEOUT_MS };
  let majority: Promise<{ readConcern?: { level: "majority" } }> | null = null;
  const longestMs = longestOf(client.options);
  const guarded = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await within(longestMs, work);
    } catch (error) {
      throw failureOf(error, where);
    }
  };
  const kind = () => guarded(() => kindOf(client));
  /** What a replica set may roll back is not read: progress is acknowledged on the strength of what was. */
  const concern = async () => {
    majority ??= kind().then((found): { readConcern?: { level: "majority" } } =>
      found.kind === "single server" ? {} : { readConcern: { level: "majority" } },
    );
    try {
      return await majority;
    } catch (error) {
      majority = null;
      throw error;
    }
  };
  const primary = { writeConcern, readPreference: "primary" as const };
  return {
    where,
    kind,
    nowMs: () =>
      guarded(async () => {
        const { localTime }: Document = await client.db("admin").command({ hello: 1 });
        return localTime instanceof Date ? localTime.getTime() : null;
      }),
    collection: (name) => collectionOf(db.collection(name, primary), guarded, concern),
    readable: (name) => collectionOf(db.collection(name), guarded, concern),
    drop: () => guarded(async () => void (await db.dropDatabase())),
    close: () => guarded(() => client.close()),
  };
}

function clientOf(uri: string): MongoClient {
  const given = new Set([...uri.matchAll(/[?&]([^=&]+)=/g)].map(([, name]) => name?.toLowerCase()));
  const timeouts = Object.entries(TIMEOUTS).filter(([name]) => !given.has(name.toLowerCase()));
  try {
    return new MongoClient(uri, { ...DEFAULTS, ...Object.fromEntries(timeouts) });
  } catch (error) {
    const reason = error instanceof Error ? withoutSecrets(error.message) : "";
    throw new Customer360Error("SETTINGS_INVALID", `not the address of a MongoDB server: ${reason}`);
  }
}

/** What finding a server and its answer may take, and somewhat more; milliseconds. */
function longestOf({ serverSelectionTimeoutMS, socketTimeoutMS }: MongoClient["options"]): number {
  return socketTimeoutMS === 0 ? Infinity : serverSelectionTimeoutMS + socketTimeoutMS + SLACK_MS;
}

/**
 * Bounds an operation by time. The driver's own bounds leave a hole: a socket whose end has come but was not told yet takes what is
 * written to it without a word, and the driver then waits for ever for it to be written.
 */
async function within<T>(ms: number, work: () => Promise<T>): Promise<T> {
  if (ms === Infinity) return work();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    const reason = new Customer360Error("STORE_UNAVAILABLE", `mongodb: no answer within ${ms} ms`);
    timer = setTimeout(() => reject(reason), ms);
  });
  try {
    return await Promise.race([work(), late]);
  } finally {
    clearTimeout(timer);
  }
}

async function kindOf(client: MongoClient): Promise<ServerKind> {
  const admin = client.db("admin");
  const hello: Document = await admin.command({ hello: 1 });
  const build: Document = await admin.command({ buildInfo: 1 });
  const isSharded = hello["msg"] === "isdbgrid";
  const isSet = typeof hello["setName"] === "string";
  return {
    kind: isSharded ? "sharded cluster" : isSet ? "replica set" : "single server",
    version: String(build["version"]),
    retriesWrites:
      client.options.retryWrites &&
      (isSharded || isSet) &&
      typeof hello["logicalSessionTimeoutMinutes"] === "number",
  };
}

type Guard = <T>(work: () => Promise<T>) => Promise<T>;
type Concern = () => Promise<{ readConcern?: { level: "majority" } }>;

function collectionOf(collection: Collection, guarded: Guard, concern: Concern): MongoCollection {
  return {
    find: <T extends Stored>({ filter, fields, sort, limit }: Search) =>
      guarded(async () => {
        const options = {
          ...(await concern()),
          ...(fields && { projection: fields }),
          ...(sort && { sort }),
        };
        const cursor = collection.find(filter, limit === undefined ? options : { ...options, limit });
        return (await cursor.toArray()) as unknown as T[];
      }),
    aggregate: <T extends Stored>(stages: readonly Stored[]) =>
      guarded(
        async () => (await collection.aggregate([...stages], await concern()).toArray()) as unknown as T[],
      ),
    count: (filter) => guarded(async () => collection.countDocuments(filter, await concern())),
    write: (writes) => guarded(() => bulk(collection, writes)),
    createIndexes: async (specs) => {
      for (const { keys, sparse } of specs)
        await guarded(() => collection.createIndex(keys, sparse === true ? { sparse } : {}));
    },
    indexes: () =>
      guarded(async () => {
        try {
          return (await collection.indexes()).map(({ key }) => JSON.stringify(key));
        } catch (error) {
          if (error instanceof Error && "code" in error && error.code === NAMESPACE_NOT_FOUND) return [];
          throw error;
        }
      }),
    explain: ({ filter, sort, limit }) =>
      guarded(async () => {
        const cursor = collection.find(filter, { ...(sort && { sort }), ...(limit && { limit }) });
        const found = await cursor.explain("queryPlanner");
        return (found["queryPlanner"] as Document | undefined)?.["winningPlan"];
      }),
    remove: (filter) => guarded(async () => void (await collection.deleteMany(filter))),
  };
}

const NAMESPACE_NOT_FOUND = 26;

async function bulk(collection: Collection, writes: readonly Write[]): Promise<Written> {
  if (writes.length === 0) return { matched: 0, duplicates: new Set() };
  try {
    const result = await collection.bulkWrite(writes.map(operation), { ordered: false });
    return { matched: result.matchedCount, duplicates: new Set() };
  } catch (error) {
    if (!(error instanceof MongoBulkWriteError)) throw error;
    const errors = [error.writeErrors].flat();
    const refused = errors.find(({ code }) => code !== DUPLICATE_KEY && !isPassing(code));
    const passing = errors.find(({ code }) => isPassing(code));
    const concern = error.result.getWriteConcernError();
    const worst = refused ?? passing ?? concern;
    // What the server says of it may hold values of customers.
    if (worst !== undefined && worst !== null)
      throw Object.assign(new Error("a write failed"), { code: worst.code });
    if (errors.length === 0) throw error;
    return { matched: error.result.matchedCount, duplicates: new Set(errors.map(({ index }) => index)) };
  }
}

function operation(write: Write): AnyBulkWriteOperation {
  return "insert" in write
    ? { insertOne: { document: write.insert } }
    : {
        updateOne: {
          filter: write.filter,
          update: write.update,
          ...(write.upsert === true ? { upsert: true } : {}),
        },
      };
}
