import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { newCustomer } from "../../../src/customer/customer.ts";
import { codeOf } from "../../../src/errors.ts";
import { silentLog } from "../../../src/log.ts";
import { openMongo, type Mongo } from "../../../src/store/mongo/client.ts";
import { missingIndexes } from "../../../src/store/mongo/schema.ts";
import { openMongoStore } from "../../../src/store/mongo/store.ts";
import type { CustomerSave } from "../../../src/store/store.ts";
import { customer, newPage, next, pageChange, row, saving, SHAPES, write } from "../../contract/shapes.ts";
import { describeServer } from "../../servers/describe-server.ts";
import { startMongo } from "../../servers/mongo.ts";

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

  test("what would become larger than MongoDB keeps is refused with its customer, and may become smaller", async () => {
    await fresh(async (_, where) => {
      const store = await openStore(where);
      const text = "x".repeat(3 * 1024 * 1024);
      const rows = (count: number) =>
        Object.fromEntries(Array.from({ length: count }, (_, at) => [`["${at}"]`, row("1", { name: text })]));
      const refusedBy = async (...parts: readonly CustomerSave[]) =>
        [...((await store.save(write(...parts))).refused ?? [])].map(([id, reason]) => [
          id,
          reason.includes("12.0"),
        ]);
      const page = async (keys: "all" | readonly string[]) => {
        const pages = [{ ...newPage("bob", "2024-05"), keys }];
        const [found] = (await store.load({ customers: [], pages, keys: {} })).pages;
        return found ?? newPage("bob", "2024-05");
      };
      const ann = customer("ann", { tables: { accounts: rows(3) } });
      const bob = newCustomer("bob");
      expect(await refusedBy(saving(newCustomer("ann"), ann))).toEqual([]);
      const grown = next(ann, { tables: { accounts: rows(5) } });
      const turned = pageChange(newPage("bob", "2024-05"), rows(3));
      const fits = saving(bob, bob, { pages: [turned] });
      expect(await refusedBy(saving(ann, grown), fits)).toEqual([["ann", true]]);
      // A page is weighed although none of its rows is at hand.
      const more = pageChange(await page(['["new"]']), { '["new"]': row("1", { name: text + text }) });
      expect(await refusedBy(saving(bob, bob, { pages: [more] }))).toEqual([["bob", true]]);
      expect((await page("all")).rows).toEqual(turned.after.rows);
      const less = pageChange(await page(['["0"]']), { '["0"]': row("2", {}, false) });
      expect(await refusedBy(saving(bob, bob, { pages: [less] }))).toEqual([]);
      const again = pageChange(await page(['["new"]']), { '["new"]': row("1", { name: text }) });
      expect(await refusedBy(saving(bob, bob, { pages: [again] }))).toEqual([]);
      expect((await store.load({ customers: ["ann"], pages: [], keys: {} })).customers.get("ann")).toEqual(
        ann,
      );
      await store.close();
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
