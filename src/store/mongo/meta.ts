import { Customer360Error } from "../../errors.ts";
import type { Mongo, MongoCollection } from "./client.ts";
import type { Stored } from "./documents/values.ts";
import { SCHEMA_VERSION } from "./schema.ts";

const MARK = "customer360";

interface Noted extends Stored {
  readonly _id: string;
  readonly value: string | number;
}

/** Reads a note about the database; null when there is none. */
export async function readMeta(meta: MongoCollection, name: string): Promise<string | number | null> {
  const [found] = await meta.find<Noted>({ filter: { _id: name } });
  return found?.value ?? null;
}

/** Writes a note about the database. */
export async function writeMeta(meta: MongoCollection, name: string, value: string | number): Promise<void> {
  const write = { filter: { _id: name }, update: { $set: { value } }, upsert: true } as const;
  const { duplicates } = await meta.write([write]);
  // Somebody else made it at the same time.
  if (duplicates.size > 0) await meta.write([write]);
}

/** Keeps the first proposal under a name, and answers it ever after. */
export async function agreedIn(meta: MongoCollection, name: string, proposal: string): Promise<string> {
  const _id = `agreed:${name}`;
  const found = await readMeta(meta, _id);
  if (found !== null) return String(found);
  await meta.write([{ filter: { _id }, update: { $setOnInsert: { value: proposal } }, upsert: true }]);
  return String(await readMeta(meta, _id));
}

/** The version a database is marked with; `none` for an empty one, `foreign` when it holds the customers of another program. */
export async function versionOf(mongo: Mongo): Promise<number | "none" | "foreign"> {
  const meta = mongo.collection("meta");
  const found = await readMeta(meta, MARK);
  if (found !== null) return Number(found);
  const [customer] = await mongo.collection("customers").find({ filter: {}, fields: { _id: 1 }, limit: 1 });
  if (customer === undefined) return "none";
  // Another process of ours may have marked it and begun in between: whoever has customers has the mark before.
  const marked = await readMeta(meta, MARK);
  return marked === null ? "foreign" : Number(marked);
}

/** Refuses databases of other programs and of later versions; marks an empty one as ours. */
export async function checkVersion(mongo: Mongo): Promise<void> {
  const found = await versionOf(mongo);
  if (found === "foreign")
    throw new Customer360Error(
      "STORE_INCOMPATIBLE",
      `mongodb at ${mongo.where} holds the customers of another program`,
    );
  // Never back from what a newer program may have written in this very moment.
  if (found === "none") {
    const mark = {
      filter: { _id: MARK },
      update: { $max: { value: SCHEMA_VERSION } },
      upsert: true,
    } as const;
    await mongo.collection("meta").write([mark]);
  } else if (found > SCHEMA_VERSION)
    throw new Customer360Error(
      "STORE_INCOMPATIBLE",
      `mongodb at ${mongo.where} was written by a newer customer360 (schema ${found}, this program knows ${SCHEMA_VERSION})`,
    );
}
