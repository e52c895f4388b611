import { randomBytes } from "node:crypto";
import { NOBODY } from "../../customer/customer.ts";
import type { Plan } from "../../customer/plan.ts";
import type { Log } from "../../log.ts";
import { factsOf, findFact } from "../facts.ts";
import { pagedTables } from "../placed-tables.ts";
import type { Reads } from "../reads.ts";
import type { Everyone, Forgetting, Store } from "../store.ts";
import { openMongo, type Mongo, type MongoOptions } from "./client.ts";
import { mongoDocuments } from "./documents/documents.ts";
import { createStamps } from "./documents/guarded.ts";
import { orderedText, originalOf } from "./documents/names.ts";
import { mongoPages } from "./documents/pages.ts";
import { mongoLedger } from "./ledger.ts";
import { load } from "./load.ts";
import { checkVersion, agreedIn, readMeta, writeMeta } from "./meta.ts";
import { mongoQuarantine } from "./quarantine.ts";
import { findHolders } from "./reads/holders.ts";
import { mongoReads } from "./reads/reads.ts";
import { createWishes } from "./reads/wishes.ts";
import { remakeFacts } from "./remake.ts";
import { save } from "./save.ts";
import { createIndexes } from "./schema.ts";

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
  const customers = mongo.collection("customers");
  const pages = mongo.collection("pages");
  const meta = mongo.collection("meta");
  const writer = randomBytes(9).toString("base64url");
  const stampOf = createStamps(writer);
  const groups = factsOf(plan);
  const documents = mongoDocuments({ collection: customers, plan, groups });
  const paged = mongoPages(pages, plan);
  const quarantine = mongoQuarantine(mongo.collection("quarantine"), mongo.readable("quarantine"));
  const ledger = mongoLedger({
    checkpoints: mongo.collection("checkpoints"),
    truncates: mongo.collection("truncates"),
    tallies: mongo.collection("tallies"),
    writer,
    stampOf,
  });

  const ids = async (query: Parameters<typeof customers.find>[0]): Promise<readonly string[]> => {
    const found = await customers.find<{ readonly _id: string }>({ ...query, fields: { _id: 1 } });
    return found.map(({ _id }) => originalOf(_id));
  };

  const find = findFact(groups);
  const wishes = createWishes(customers, log);

  const loadParts = { customers, pages, paged: pagedTables(plan), documents, loadedPages: paged, ledger };
  const saveParts = { documents, pages: paged, quarantine, ledger, stampOf };
  let open = true;
  return {
    shared: true,
    agreed: (name, proposal) => agreedIn(meta, name, proposal),
    load: (request) => load(loadParts, request),
    save: (whole) => save(saveParts, whole),
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
