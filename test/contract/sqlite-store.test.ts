import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Plan } from "../../src/customer/plan.ts";
import { sqliteStore } from "../../src/store/sqlite/store.ts";
import { readsContract } from "./reads.contract.ts";
import { storeContract } from "./store.contract.ts";

async function open(plan: Plan) {
  const folder = await mkdtemp(join(tmpdir(), "customer360-store-"));
  const path = join(folder, "store.db");
  let store = sqliteStore({ path, plan });
  return {
    store,
    reopen: async (changed = plan) => {
      await store.close();
      store = sqliteStore({ path, plan: changed });
      return store;
    },
    quarantined: async () => (await store.counts()).quarantined.reduce((sum, { count }) => sum + count, 0),
    dispose: async () => {
      await store.close();
      await rm(folder, { recursive: true });
    },
  };
}

storeContract("sqlite", open);
readsContract("sqlite", open);
