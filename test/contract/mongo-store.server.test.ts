import { randomBytes } from "node:crypto";
import type { Plan } from "../../src/customer/plan.ts";
import { silentLog } from "../../src/log.ts";
import { openMongo } from "../../src/store/mongo/client.ts";
import { openMongoStore } from "../../src/store/mongo/store.ts";
import { describeServer } from "../servers/describe-server.ts";
import { startMongo } from "../servers/mongo.ts";
import { readsContract } from "./reads.contract.ts";
import { storeContract } from "./store.contract.ts";

describeServer("on a MongoDB", { needs: ["mongo"], start: (use) => use(startMongo()) }, (mongo) => {
  /** A database of its own for each test. */
  const open = async (plan: Plan) => {
    const where = { uri: mongo().uri, database: `customer360_${randomBytes(6).toString("hex")}` };
    let store = await openMongoStore({ ...where, plan, log: silentLog });
    const beside = openMongo(where);
    return {
      store,
      reopen: async (changed = plan) => {
        await store.close();
        store = await openMongoStore({ ...where, plan: changed, log: silentLog });
        return store;
      },
      quarantined: () => beside.collection("quarantine").count({}),
      dispose: async () => {
        await store.close();
        await beside.drop();
        await beside.close();
      },
    };
  };

  storeContract("mongo", open);
  readsContract("mongo", open, 3);
});
