import { randomBytes } from "node:crypto";
import { NOBODY } from "../../customer/customer.ts";
import type { Plan } from "../../customer/plan.ts";
import type { Log } from "../../log.ts";
import { factsOf } from "../facts.ts";
import { openMongo, type Mongo, type MongoOptions } from "./client.ts";
import { mongoDocuments } from "./documents.ts";
import { createStamps } from "./guarded.ts";
import { findHolders } from "./holders.ts";
import { load } from "./load.ts";
import { mongoLedger } from "./ledger.ts";
import { checkVersion, agreedIn, readMeta, writeMeta } from "./meta.ts";
import { orderedText, originalOf } from "./names.ts";
import { mongoPages } from "./pages.ts";
import { mongoQuarantine } from "./quarantine.ts";
import { mongoReads } from "./reads.ts";
import { remakeFacts } from "./remake.ts";
import { createIndexes } from "./schema.ts";
import { createWishes } from "./wishes.ts";
import type { Reads } from "../reads.ts";
import { excessOfDocument } from "./weight.ts";
import type { CustomerSave, Everyone, Forgetting, Store } from "../store.ts";

/** Where the store is and what it stores. */
export interface MongoStoreOptions extends MongoOptions {
  readonly plan: Plan;
  readonly log: Log;
}

/** Connects, checks and prepares the database, and opens the Store in it. */
export async function openMongoStore(
  options: MongoStoreOptions,
): Promise<Store & Everyone & Forgetting & Reads> {
  const mongo = openMongo(options);
  const groups = factsOf(options.plan);
  try {
    const { kind, version, retriesWrites } = await mongo.kind();
    options.log.info("connected to mongodb", { where: mongo.where, kind, version, retriesWrites });
    await checkVersion(mongo);
    await createIndexes(mongo);
    await remakeFacts(mongo, groups, options.log);
  } catch (error) {
    await mongo.close();
    throw error;
  }
  return mongoStore(mongo, options);
}

function mongoStore(mongo: Mongo, { plan, log }: MongoStoreOptions): Store & Everyone & Forgetting & Reads {
  const [customers, pages, meta] = ["customers", "pages", "meta"].map((name) => mongo.collection(name)) as [
    ReturnType<Mongo["collection"]>,
    ReturnType<Mongo["collection"]>,
    ReturnType<Mongo["collection"]>,
  ];
  const writer = randomBytes(9).toString("base64url");
  const stampOf = createStamps(writer);
  const groups = factsOf(plan);
  const documents = mongoDocuments({ collection: customers, plan, groups, stampOf });
  const pagedTables = new Set(
    plan.tables.filter(({ storage }) => storage.kind === "paged").map(({ name }) => name),
  );
  const paged = mongoPages(pages, { plan, stampOf });
  const quarantine = mongoQuarantine(mongo.collection("quarantine"), mongo.readable("quarantine"));
  const ledger = mongoLedger({
    checkpoints: mongo.collection("checkpoints"),
    truncates: mongo.collection("truncates"),
    tallies: mongo.collection("tallies"),
    writer,
    stampOf,
  });

  /** Why a customer cannot be kept, or null. */
  const excessOf = ({ before, after, pages: changes }: CustomerSave): string | null => {
    for (const change of changes) {
      const excess = paged.excess(change);
      if (excess !== null) return excess;
    }
    return excessOfDocument(before, after);
  };

  const saveCustomers = async (saves: readonly CustomerSave[]): Promise<ReadonlySet<string>> => {
    const lost = await paged.save(saves.flatMap((save) => save.pages));
    const kept = lost.size === 0 ? saves : saves.filter(({ before }) => !lost.has(before.customerId));
    const conflicts = await documents.save(kept);
    return new Set([...lost, ...conflicts]);
  };

  const ids = async (query: Parameters<typeof customers.find>[0]): Promise<readonly string[]> => {
    const found = await customers.find<{ readonly _id: string }>({ ...query, fields: { _id: 1 } });
    return found.map(({ _id }) => originalOf(_id));
  };

  const known = new Map(groups.flatMap(({ facts }) => facts.map((fact) => [fact.name, fact] as const)));
  const find = (name: string) => known.get(name) ?? null;
  const wishes = createWishes(customers, log);

  let open = true;
  return {
    shared: true,
    agreed: (name, proposal) => agreedIn(meta, name, proposal),
    load: (request) =>
      load({ customers, pages, paged: pagedTables, documents, loadedPages: paged, ledger }, request),
    save: async (save) => {
      const refused = new Map<string, string>();
      for (const part of save.customers) {
        const excess = excessOf(part);
        if (excess !== null) refused.set(part.before.customerId, excess);
      }
      const [conflicts] = await settled([
        saveCustomers(save.customers.filter(({ before }) => !refused.has(before.customerId))),
        quarantine.put(save.quarantine),
        ledger.truncate(save.truncates),
        ledger.count(save.tallies),
        ledger.checkpoint(save.checkpoints),
      ]);
      await documents.confirm(save.confirms);
      return refused.size === 0 ? { conflicts } : { conflicts, refused };
    },
    checkpoints: ledger.checkpoints,
    forgetCheckpoints: ledger.forgetCheckpoints,
    outstanding: async (nowMs, limit) => {
      const [due, unpublished] = await Promise.all([
        ids({ filter: { dueMs: { $lte: nowMs } }, sort: { dueMs: 1 }, limit }),
        ids({ filter: { relay: { $gt: 0 } }, sort: { relay: 1 }, limit }),
      ]);
      return { due, unpublished };
    },
    holders: (table, after, limit) => findHolders({ customers, pages }, { table, after, limit }),
    derivation: async () => {
      const text = await readMeta(meta, "derivation");
      return text === null ? null : String(text);
    },
    noteDerivation: (text) => writeMeta(meta, "derivation", text),
    everyone: (after, limit) =>
      ids({
        filter: { _id: { $gte: NOBODY, ...(after !== null && { $gt: orderedText(after) }) } },
        sort: { _id: 1 },
        limit,
      }),
    pagesOf: paged.of,
    ...mongoReads({ mongo, plan, find, ledger, quarantine, wishes }),
    close: async () => {
      if (!open) return;
      open = false;
      await wishes.settled();
      await mongo.close();
    },
  };
}

/** Waits for all, also when one fails: what goes on after a save was answered might meet its repetition. */
async function settled<T>(
  work: readonly [Promise<T>, ...Promise<unknown>[]],
): Promise<readonly [T, ...unknown[]]> {
  const results = await Promise.allSettled(work);
  const failed = results.find((result) => result.status === "rejected");
  if (failed !== undefined) throw failed.reason;
  return Promise.all(work);
}
