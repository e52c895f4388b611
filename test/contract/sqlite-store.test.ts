import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Plan } from "../../src/customer/plan.ts";
import { sqliteStore } from "../../src/store/sqlite/store.ts";
import { readsContract } from "./reads.contract.ts";
import { storeContract } from "./store.contract.ts";

type Opened = ReturnType<typeof sqliteStore>;

/** Opens a store in a folder of its own; `seen` is what the tests see of it. */
function opener(seen: (store: Opened, again: () => Opened) => Opened, closesFirst: boolean) {
  return async (plan: Plan) => {
    const folder = await mkdtemp(join(tmpdir(), "customer360-store-"));
    const path = join(folder, "store.db");
    const all: Opened[] = [];
    const start = (by: Plan): Opened => {
      const made = sqliteStore({ path, plan: by });
      all.push(made);
      return made;
    };
    const shown = (by: Plan) => seen(start(by), () => start(by));
    const closeAll = async () => {
      for (const each of all.splice(0)) await each.close();
    };
    let store = shown(plan);
    return {
      store,
      reopen: async (changed = plan) => {
        if (closesFirst) await closeAll();
        store = shown(changed);
        return store;
      },
      quarantined: async () => (await store.counts()).quarantined.reduce((sum, { count }) => sum + count, 0),
      dispose: async () => {
        await closeAll();
        await rm(folder, { recursive: true });
      },
    };
  };
}

const plainly = opener((store) => store, true);

/** Every save is in the tables before anybody asks. */
const settled = opener(
  (store) => ({
    ...store,
    save: async (save) => {
      const saved = await store.save(save);
      await store.everyone(null, 1);
      return saved;
    },
  }),
  true,
);

/** Another connection saves, and never closes: what it saved is read from the journal in the file, as after a crash. */
const elsewhere = opener((store, again) => ({ ...store, save: again().save }), false);

storeContract("sqlite", plainly);
readsContract("sqlite", plainly);
storeContract("sqlite with everything in its tables", settled);
readsContract("sqlite with everything in its tables", settled);
storeContract("sqlite in another process", elsewhere);
readsContract("sqlite in another process", elsewhere);
