import { execFile, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { systemClock } from "../../src/clock.ts";
import { sqliteStore } from "../../src/store/sqlite/store.ts";
import { localUpdates } from "../../src/updates/local/updates.ts";
import type { Updates } from "../../src/updates/updates.ts";
import { SHAPES } from "../contract/shapes.ts";

const REPOSITORY = fileURLToPath(new URL("../..", import.meta.url));

let folder = "";
/** The child compiled: Node 20 runs no TypeScript. Inside node_modules, where it finds its packages. */
let compiled = "";

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "customer360-kill-"));
  compiled = join(REPOSITORY, "node_modules", ".cache", `customer360-kill-${process.pid}`);
  const options = ["--rootDir", ".", "--outDir", compiled, "--module", "nodenext", "--target", "es2023"];
  const flags = [
    "--rewriteRelativeImportExtensions",
    "--skipLibCheck",
    "--noCheck",
    "--ignoreConfig",
    "--types",
    "node",
  ];
  await promisify(execFile)(
    process.execPath,
    [join("node_modules", "typescript", "bin", "tsc"), ...options, ...flags, "test/store/kill-child.ts"],
    { cwd: REPOSITORY },
  );
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
  await rm(compiled, { recursive: true, force: true });
});

/** Saves and publishes until it is killed; answers the last revision it acknowledged. */
async function killedAfter(path: string, revisions: number): Promise<number> {
  const child = fork(join(compiled, "test", "store", "kill-child.js"), [path], { stdio: "ignore" });
  let acknowledged = 0;
  let sent = 0;
  child.on("message", (revision) => {
    acknowledged = Number(revision);
    sent += 1;
    if (sent === revisions) child.kill("SIGKILL");
  });
  await once(child, "exit");
  expect(child.signalCode).toBe("SIGKILL");
  return acknowledged;
}

/**
 * The revision told last. Not how many were told: the child publishes nothing again, so what was saved and not published when
 * it was killed stays untold.
 */
async function lastPublished(updates: Updates): Promise<number> {
  const [epoch, tail] = (await updates.tail()).split(".");
  const last = await updates.read(`${epoch}.${Number(tail) - 1}`, { limit: 1, signal: AbortSignal.abort() });
  return last.kind === "gap" ? 0 : (last.entries[0]?.update.revision ?? 0);
}

test("whatever was acknowledged before a process is killed is there afterwards, pages, checkpoints, updates and all", async () => {
  const path = join(folder, "store.db");
  let expected = 0;
  for (const revisions of [25, 60]) {
    expected = await killedAfter(path, revisions);
    const store = sqliteStore({ path, plan: SHAPES });
    const updates = localUpdates({ path, clock: systemClock });
    try {
      const { customers, pages } = await store.load({
        customers: ["ann"],
        pages: [{ customerId: "ann", table: "payments", page: "2024-05", keys: "all" }],
        keys: {},
      });
      const revision = customers.get("ann")?.revision ?? 0;
      expect(revision).toBeGreaterThanOrEqual(expected);
      expect(pages[0]?.revision).toBe(revision);
      expect(Object.keys(pages[0]?.rows ?? {})).toHaveLength(revision);
      expect(await store.checkpoints()).toEqual([{ topic: "t", partition: 0, nextOffset: String(revision) }]);
      expect((await store.counts()).customers).toBe(1);
      const published = await lastPublished(updates);
      expect([revision, revision - 1]).toContain(published);
      expect(published).toBeGreaterThanOrEqual(expected);
    } finally {
      await store.close();
      await updates.close();
    }
  }
});
