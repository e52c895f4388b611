import { appendFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { MongoClient, MongoServerError, type Collection } from "mongodb";
import { expect, test } from "vitest";
import { describeServer, needsOurOwn, type Wanted } from "./describe-server.ts";
import { startMongo, type Mongo } from "./mongo.ts";

const DATABASE = `harness-${process.pid}`;

interface Row {
  readonly _id: string;
  readonly revision: number;
}

async function withRows<T>(mongo: Mongo, use: (rows: Collection<Row>) => Promise<T>): Promise<T> {
  const client = new MongoClient(mongo.uri, { serverSelectionTimeoutMS: 1000 });
  try {
    return await use(client.db(DATABASE).collection<Row>("rows"));
  } finally {
    await client.close();
  }
}

/** Compare-and-set until it has won some times. */
async function contend(rows: Collection<Row>, wins: number): Promise<void> {
  for (let won = 0; won < wins;) {
    const row = await rows.findOne({ _id: "contended" });
    const revision = row?.revision ?? -1;
    const outcome = await rows.replaceOne({ _id: "contended", revision }, { revision: revision + 1 });
    won += outcome.modifiedCount;
  }
}

function common(mongo: () => Mongo): void {
  test("of many writers on one revision exactly one wins", async () => {
    await withRows(mongo(), async (rows) => {
      await rows.insertOne({ _id: "contended", revision: 0 });
      await Promise.all(Array.from({ length: 10 }, () => contend(rows, 5)));
      expect(await rows.findOne({ _id: "contended" })).toEqual({ _id: "contended", revision: 50 });
      await rows.drop();
    });
  });

  test("a transaction is refused, not half done", async (context) => {
    if (mongo().real) context.skip("a real MongoDB may have transactions");
    await withRows(mongo(), async (rows) => {
      const { db } = rows;
      const insert = { insert: "refused", documents: [{}], txnNumber: 1, autocommit: false };
      await expect(db.command(insert)).rejects.toThrow(MongoServerError);
      expect(await db.collection("refused").countDocuments()).toBe(0);
    });
  });
}

const memory: Wanted<Mongo> = { needs: ["mongo"], start: (use) => use(startMongo()) };
describeServer("MongoDB protocol in memory", memory, (mongo) => {
  common(mongo);

  test("a kill empties it", async (context) => {
    needsOurOwn(context, mongo());
    const count = () => withRows(mongo(), (rows) => rows.countDocuments());
    await withRows(mongo(), (rows) => rows.insertOne({ _id: "gone", revision: 0 }));
    expect(await count()).toBe(1);
    await mongo().kill();
    await mongo().restart();
    expect(await count()).toBe(0);
  });
});

const file: Wanted<Mongo> = { needs: ["mongo"], start: (use) => use(startMongo({ storage: "file" })) };
describeServer("MongoDB protocol on a file", file, (mongo) => {
  common(mongo);

  test("what was acknowledged is there after kill -9", async (context) => {
    needsOurOwn(context, mongo());
    const acknowledged: string[] = [];
    await withRows(mongo(), async (rows) => {
      const writers = Array.from({ length: 4 }, async (_, writer) => {
        for (let at = 0; ; at++) {
          await rows.insertOne({ _id: `${writer}-${at}`, revision: at });
          acknowledged.push(`${writer}-${at}`);
          if (acknowledged.length === 200) await mongo().kill();
        }
      });
      await Promise.allSettled(writers);
    });
    expect(acknowledged.length).toBeGreaterThanOrEqual(200);
    await mongo().restart();
    const kept = await withRows(mongo(), (rows) => rows.distinct("_id"));
    expect(acknowledged.filter((id) => !kept.includes(id))).toEqual([]);
  });

  const everything = async (rows: Collection<Row>) =>
    JSON.stringify([await rows.find().sort({ _id: 1 }).toArray(), await rows.indexes()]);

  test("a write that the end of the process cut off is none, and what comes after it is kept", async (context) => {
    needsOurOwn(context, mongo());
    await withRows(mongo(), async (rows) => {
      await rows.insertOne({ _id: "whole", revision: 1 });
      const before = await everything(rows);
      await mongo().kill();
      appendFileSync(join(mongo().dataDir, "data"), Buffer.from([0, 0, 1, 0, 7, 7, 7]));
      await mongo().restart();
      expect(await everything(rows)).toBe(before);
      await rows.insertOne({ _id: "later", revision: 1 });
      await mongo().kill();
      await mongo().restart();
      expect(await rows.countDocuments({ _id: "later" })).toBe(1);
      await rows.drop();
    });
  });

  test("all comes back as it was: ids that were given here, writes that failed half-way, indexes", async (context) => {
    needsOurOwn(context, mongo());
    await withRows(mongo(), async (rows) => {
      const anonymous = rows as unknown as Collection<{ revision: number }>;
      await rows.createIndex({ revision: 1 }, { unique: true, sparse: true });
      await anonymous.insertMany([{ revision: 1 }, { revision: 2 }]);
      await expect(
        anonymous.insertMany([{ revision: 3 }, { revision: 2 }, { revision: 4 }]),
      ).rejects.toThrow();
      await rows.updateOne({ _id: "made" }, { $inc: { revision: 9 } }, { upsert: true });
      await rows.deleteOne({ revision: 1 });
      const before = await everything(rows);
      expect(await rows.countDocuments()).toBe(3);
      await mongo().kill();
      await mongo().restart();
      expect(await everything(rows)).toBe(before);
      await expect(anonymous.insertOne({ revision: 2 })).rejects.toThrow(/duplicate key/);
      await rows.drop();
    });
  });

  test("what would come to something else another time is refused", async (context) => {
    if (mongo().real) context.skip("a real MongoDB has all of it");
    await withRows(mongo(), async (rows) => {
      await expect(
        rows.updateOne({ revision: 5 }, { $set: { revision: 6 } }, { upsert: true }),
      ).rejects.toThrow(/upsert without _id/);
      const now = { $currentDate: { revision: true } } as unknown as { $set: Row };
      await expect(rows.updateOne({ _id: "a" }, now)).rejects.toThrow(/currentDate/);
    });
  });

  test("a file that grew long is begun anew from what it came to, while it is written and read", async (context) => {
    needsOurOwn(context, mongo());
    await withRows(mongo(), async (rows) => {
      await rows.createIndex({ revision: 1 }, { unique: true });
      const text = "x".repeat(500_000);
      for (let at = 0; at < 120; at += 1)
        await rows.updateOne({ _id: `r${at % 3}` }, { $set: { revision: at, text } }, { upsert: true });
      expect(statSync(join(mongo().dataDir, "data")).size).toBeLessThan(40_000_000);
      const before = await everything(rows);
      await mongo().kill();
      await mongo().restart();
      expect(await everything(rows)).toBe(before);
      await expect(rows.insertOne({ _id: "other", revision: 119 })).rejects.toThrow(/duplicate key/);
      await rows.drop();
    });
  });
});
