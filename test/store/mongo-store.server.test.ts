import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { codeOf } from "../../src/errors.ts";
import { silentLog } from "../../src/log.ts";
import { openMongo, type Mongo } from "../../src/store/mongo-client.ts";
import { missingIndexes } from "../../src/store/mongo-schema.ts";
import { openMongoStore } from "../../src/store/mongo-store.ts";
import { SHAPES } from "../contract/shapes.ts";
import { describeServer } from "../servers/describe-server.ts";
import { startMongo } from "../servers/mongo.ts";

const needs = ["mongo"] as const;

describeServer("the store on a MongoDB", { needs, start: (use) => use(startMongo()) }, (mongo) => {
  /** Hands out a database of its own, and what opens a store in it. */
  const fresh = async (use: (database: Mongo, where: { uri: string; database: string }) => Promise<void>) => {
    const where = { uri: mongo().uri, database: `customer360_${randomBytes(6).toString("hex")}` };
    const database = openMongo(where);
    try {
      await use(database, where);
    } finally {
      await database.drop();
      await database.close();
    }
  };
  const openStore = (where: { uri: string; database: string }) =>
    openMongoStore({ ...where, plan: SHAPES, log: silentLog });
  const codeOfOpening = async (where: { uri: string; database: string }) => {
    const error: unknown = await openStore(where).then(
      (store) => store.close(),
      (reason: unknown) => reason,
    );
    return codeOf(error);
  };

  test("every declared index is made at the start, and one that is gone is named", async () => {
    await fresh(async (database, where) => {
      expect(await missingIndexes(database)).toContain('pages {"table":1,"keys":1}');
      await (await openStore(where)).close();
      expect(await missingIndexes(database)).toEqual([]);
    });
  });

  test("a database of a newer program, or of another one, is refused", async () => {
    await fresh(async (database, where) => {
      await database.collection("customers").write([{ insert: { _id: "somebody" } }]);
      expect(await codeOfOpening(where)).toBe("STORE_INCOMPATIBLE");
    });
    await fresh(async (database, where) => {
      await (await openStore(where)).close();
      await database
        .collection("meta")
        .write([{ filter: { _id: "customer360" }, update: { $set: { value: 99 } } }]);
      expect(await codeOfOpening(where)).toBe("STORE_INCOMPATIBLE");
    });
  });

  test("no one there is an outage; an address that is none is a fault of the settings, told without its secrets", async () => {
    const nobody = "mongodb://joe:s3cret@127.0.0.1:1/x?serverSelectionTimeoutMS=200";
    const failure: unknown = await openMongoStore({ uri: nobody, plan: SHAPES, log: silentLog }).catch(
      (error: unknown) => error,
    );
    expect(codeOf(failure)).toBe("STORE_UNAVAILABLE");
    expect(String(failure)).toContain("127.0.0.1:1/x");
    for (const uri of [
      "mongodb://joe:s3cret@",
      "mongodb://joe:s3cret@h:1/x?nonsense=1",
      "http://joe:s3cret@h",
    ]) {
      const fault: unknown = await openMongoStore({ uri, plan: SHAPES, log: silentLog }).catch(
        (error: unknown) => error,
      );
      expect(codeOf(fault)).toBe("SETTINGS_INVALID");
      expect(String(fault)).not.toContain("s3cret");
    }
    expect(String(failure)).not.toContain("s3cret");
  });
});
