import { codeOf } from "../../../errors.ts";
import type { MongoCollection, Write } from "../client.ts";

/** A write of one document that happens only on the revision it was computed from. */
export interface Guarded {
  /** The document's `_id`. */
  readonly id: string;
  /** The revision it was computed from; 0 inserts. */
  readonly from: number;
  /** Names this very write, and is stored with it as `by`. */
  readonly stamp: string;
  readonly write: Write;
}

/** How often a write is sent before its failure is the caller's. */
const ATTEMPTS = 2;

/**
 * Gives each save a name of its own, and the same one when it is sent again. A save writes a document once, so together with its
 * `_id` the name tells whose write it was. A name for each version instead would have to be looked up weakly, which is dear.
 */
export function createStamps(writer: string): (save: object) => string {
  const stamps = new WeakMap<object, string>();
  let count = 0;
  return (save) => {
    let stamp = stamps.get(save);
    if (stamp === undefined) {
      count += 1;
      stamp = `${writer}.${count}`;
      stamps.set(save, stamp);
    }
    return stamp;
  };
}

/**
 * Compare-and-set of many documents. Answers the ids of those that somebody else changed first.
 *
 * A bulk of updates tells only how many of them found their revision, and a reply may be lost after the writes were done. So
 * whatever is in doubt is read back: a document that carries the stamp of our write was written by us, however little we
 * were told of it. One written by us and overwritten since counts as lost; folding its changes again finds duplicates, and
 * its announcements in the outbox, where whoever came after us has left them.
 */
export async function writeGuarded(
  collection: MongoCollection,
  parts: readonly Guarded[],
): Promise<ReadonlySet<string>> {
  const lost = new Set<string>();
  let pending = parts;
  for (let attempt = 1; pending.length > 0; attempt++) {
    const { doubtful, failure } = await attemptAll(collection, pending);
    if (doubtful.length === 0) return lost;
    const found = await readBack(collection, doubtful);
    const again: Guarded[] = [];
    for (const part of doubtful) {
      const now = found.get(part.id);
      if (now?.by === part.stamp) continue;
      if (failure !== null && (now?.revision ?? 0) === part.from) again.push(part);
      else lost.add(part.id);
    }
    if (failure !== null && again.length > 0 && attempt >= ATTEMPTS) throw failure;
    pending = again;
  }
  return lost;
}

interface Attempted {
  readonly doubtful: readonly Guarded[];
  /** The outage that made them doubtful, if one did. */
  readonly failure: Error | null;
}

/** Inserts and updates go apart: after a failed insert a server's count of updates cannot be trusted. */
async function attemptAll(collection: MongoCollection, parts: readonly Guarded[]): Promise<Attempted> {
  const inserts = parts.filter(({ from }) => from === 0);
  const updates = parts.filter(({ from }) => from !== 0);
  const [inserted, updated] = await Promise.all([
    outcome(collection, inserts, ({ duplicates }) => inserts.filter((_, index) => duplicates.has(index))),
    outcome(collection, updates, ({ matched }) => (matched === updates.length ? [] : updates)),
  ]);
  return {
    doubtful: [...inserted.doubtful, ...updated.doubtful],
    failure: inserted.failure ?? updated.failure,
  };
}

async function outcome(
  collection: MongoCollection,
  parts: readonly Guarded[],
  doubtfulIn: (written: Awaited<ReturnType<MongoCollection["write"]>>) => readonly Guarded[],
): Promise<Attempted> {
  if (parts.length === 0) return { doubtful: [], failure: null };
  try {
    return { doubtful: doubtfulIn(await collection.write(parts.map(({ write }) => write))), failure: null };
  } catch (error) {
    if (!(error instanceof Error) || codeOf(error) !== "STORE_UNAVAILABLE") throw error;
    return { doubtful: parts, failure: error };
  }
}

interface Header {
  readonly [field: string]: unknown;
  readonly _id: string;
  readonly revision: number;
  readonly by?: string;
}

async function readBack(
  collection: MongoCollection,
  parts: readonly Guarded[],
): Promise<ReadonlyMap<string, Header>> {
  const found = await collection.find<Header>({
    filter: { _id: { $in: parts.map(({ id }) => id) } },
    fields: { revision: 1, by: 1 },
  });
  return new Map(found.map((header) => [header._id, header]));
}
