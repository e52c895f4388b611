import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach } from "vitest";
import type { Plan } from "../../../src/customer/plan.ts";
import { sqliteStore } from "../../../src/store/sqlite/store.ts";
import { SHAPES } from "../../contract/shapes.ts";

/** A store as a process has it. */
export type Opened = ReturnType<typeof sqliteStore>;

/** A database file for each test, and the stores that a test opens on it, closed in the end. */
export function openedStores(): { path(): string; start(plan?: Plan): Opened } {
  let folder = "";
  let open: Opened[] = [];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "customer360-sqlite-"));
  });
  afterEach(async () => {
    for (const store of open) await store.close();
    open = [];
    rmSync(folder, { recursive: true });
  });
  const path = () => join(folder, "store.db");
  return {
    path,
    start: (plan = SHAPES) => {
      const store = sqliteStore({ path: path(), plan });
      open.push(store);
      return store;
    },
  };
}
