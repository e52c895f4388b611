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
});
