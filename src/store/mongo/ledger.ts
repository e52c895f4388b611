import type { Position } from "../../cdc/change.ts";
import { compareText } from "../../customer/values/compare.ts";
import type { Checkpoint } from "../../ingest/source.ts";
import type { Tally } from "../store.ts";
import type { MongoCollection, Write } from "./client.ts";
import { fieldName, keptText, orderedText, originalOf, textOf } from "./documents/names.ts";
import { restored, type Stored } from "./documents/values.ts";

/** What a save carries besides customers and quarantine. Every write may be repeated: it changes nothing the second time. */
export interface MongoLedger {
  checkpoint(checkpoints: readonly Checkpoint[]): Promise<void>;
  truncate(truncates: Readonly<Record<string, Position>>): Promise<void>;
  /** Adds up; a list that was counted before counts no more. */
  count(tallies: readonly Tally[]): Promise<void>;
  checkpoints(): Promise<readonly Checkpoint[]>;
  /** Removes the checkpoints whose topics begin so. */
  forgetCheckpoints(prefix: string): Promise<void>;
  truncates(): Promise<Readonly<Record<string, Position>>>;
  tallies(): Promise<readonly Tally[]>;
}

/** Where it is kept. */
export interface LedgerParts {
  readonly checkpoints: MongoCollection;
  readonly truncates: MongoCollection;
  readonly tallies: MongoCollection;
  /** This process, among all that count. */
  readonly writer: string;
  readonly stampOf: (version: object) => string;
}

interface StoredCheckpoint extends Stored {
  readonly topic: string;
  readonly partition: number;
  readonly next: string;
}

/** The ledger in MongoDB. */
export function mongoLedger(parts: LedgerParts): MongoLedger {
  return {
    checkpoint: (checkpoints) =>
      raise(
        parts.checkpoints,
        checkpoints.map(({ topic, partition, nextOffset }) => ({
          filter: { _id: idOf({ topic, partition }) },
          update: { $max: { next: sized(nextOffset) }, $setOnInsert: { topic: keptText(topic), partition } },
          upsert: true,
        })),
      ),
    truncate: (truncates) =>
      raise(
        parts.truncates,
        Object.entries(truncates).map(([table, at]) => ({
          filter: { _id: keptText(table) },
          update: { $max: { at: orderedText(at) } },
          upsert: true,
        })),
      ),
    count: (tallies) => count(parts, tallies),
    checkpoints: () => readCheckpoints(parts.checkpoints),
    forgetCheckpoints: async (prefix) => {
      const found = (await readCheckpoints(parts.checkpoints)).filter(({ topic }) =>
        topic.startsWith(prefix),
      );
      if (found.length > 0) await parts.checkpoints.remove({ _id: { $in: found.map(idOf) } });
    },
    truncates: async () => {
      const found = await parts.truncates.find<{ _id: string; at: string }>({ filter: {} });
      return Object.fromEntries(found.map(({ _id, at }) => [textOf(_id), originalOf(at)]));
    },
    tallies: async () => sum(await parts.tallies.find<Counted>({ filter: {} })),
  };
}

const idOf = ({ topic, partition }: Pick<Checkpoint, "topic" | "partition">): string =>
  JSON.stringify([topic, partition]);

/** All checkpoints there are, by topic and partition. */
export async function readCheckpoints(collection: MongoCollection): Promise<readonly Checkpoint[]> {
  const found = await collection.find<StoredCheckpoint>({ filter: {} });
  return found
    .map(({ topic, partition, next }) => ({
      topic: textOf(topic),
      partition,
      nextOffset: next.slice(LENGTH_DIGITS),
    }))
    .sort((a, b) => compareText(a.topic, b.topic) || a.partition - b.partition);
}

const LENGTH_DIGITS = 3;

/** Decimal text behind its own length, so that the greater one sorts later. */
function sized(decimal: string): string {
  return String(decimal.length).padStart(LENGTH_DIGITS, "0") + decimal;
}

/** Upserts that only ever raise. Two that insert the same document at once meet in its key: the loser goes again. */
async function raise(collection: MongoCollection, writes: readonly Write[]): Promise<void> {
  let pending = writes;
  while (pending.length > 0) {
    const { duplicates } = await collection.write(pending);
    pending = pending.filter((_, index) => duplicates.has(index));
  }
}

/** How many lists a writer's document remembers to have counted: more than can be under way at once. */
const REMEMBERED = 64;

interface Counted extends Stored {
  /** By table, kind and label. */
  readonly counts: Stored;
}

/**
 * All counts of a process are one document, and each list of them is one write that names itself there. When its reply is
 * lost and it is sent again, the document no longer matches, and the insert that the server tries instead meets its key.
 */
async function count({ tallies, writer, stampOf }: LedgerParts, list: readonly Tally[]): Promise<void> {
  if (list.length === 0) return;
  const stamp = stampOf(list);
  const by = new Map<string, number>();
  for (const { table, kind, label, count: more } of list) {
    const path = ["counts", fieldName(table), kind, fieldName(label)].join(".");
    by.set(path, (by.get(path) ?? 0) + more);
  }
  const write: Write = {
    filter: { _id: writer, recent: { $ne: stamp } },
    update: { $inc: Object.fromEntries(by), $push: { recent: { $each: [stamp], $slice: -REMEMBERED } } },
    upsert: true,
  };
  for (;;) {
    const { duplicates } = await tallies.write([write]);
    if (duplicates.size === 0) return;
    // Unless another list of this process made the document in this very moment.
    const [counted] = await tallies.find({ filter: { _id: writer, recent: stamp }, fields: { _id: 1 } });
    if (counted !== undefined) return;
  }
}

function sum(writers: readonly Counted[]): readonly Tally[] {
  const found = new Map<string, Tally>();
  for (const { counts } of writers)
    for (const [table, kinds] of entriesOf(restored(counts)))
      for (const [kind, labels] of entriesOf(kinds))
        for (const [label, more] of entriesOf(labels)) {
          const name = JSON.stringify([table, kind, label]);
          const before = found.get(name)?.count ?? 0;
          found.set(name, { table, kind: kind as Tally["kind"], label, count: before + Number(more) });
        }
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, tally]) => tally);
}

function entriesOf(part: unknown): readonly (readonly [string, unknown])[] {
  return Object.entries(part as Stored);
}
