import { memoryStore } from "../helpers/memory-store.ts";
import { storeContract } from "./store.contract.ts";

storeContract("memory", async () => {
  const store = memoryStore();
  return { store, reopen: null, dispose: () => store.close() };
});
