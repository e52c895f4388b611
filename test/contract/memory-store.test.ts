import { memoryStore } from "../helpers/memory-store.ts";
import { storeContract } from "./store.contract.ts";

storeContract("memory", async () => {
  const store = memoryStore();
  const reopen = () => store.close().then(() => store);
  return { store, reopen, quarantined: async () => store.quarantine.size, dispose: () => store.close() };
});
