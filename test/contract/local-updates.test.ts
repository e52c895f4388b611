import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Updates } from "../../src/updates/updates.ts";
import { localUpdates } from "../../src/updates/local/updates.ts";
import { updatesContract } from "./updates.contract.ts";

updatesContract("local", async ({ clock, keep }) => {
  const folder = await mkdtemp(join(tmpdir(), "customer360-updates-"));
  const path = join(folder, "updates.db");
  const open: Updates[] = [];
  const add = () => {
    const updates = localUpdates({ path, clock, keep });
    open.push(updates);
    return updates;
  };
  const close = async () => {
    for (const updates of open) await updates.close();
    await rm(folder, { recursive: true, force: true });
  };
  return {
    updates: add(),
    other: async () => add(),
    restart: async () => {
      await close();
      return add();
    },
    dispose: close,
  };
});
