import { execFileSync } from "node:child_process";
import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryFolder } from "../servers/folders.ts";
import { startProgram, type Program } from "../servers/program.ts";
import { audit } from "./audit.ts";
import { History, PAYMENTS, PEOPLE, PIPELINE } from "./history.ts";
import { Truth, type TrueCustomer } from "./truth.ts";

const NOBODY: ReadonlyMap<string, Shown> = new Map();
const PATIENCE = { timeout: 60_000, interval: 500 };

/** No file of the process may grow beyond so many bytes: to whoever writes it that is a full disk. `unlimited` makes room. */
function room(program: Program, bytes: number | "unlimited"): void {
  execFileSync("/usr/bin/prlimit", ["--pid", String(program.pid()), `--fsize=${bytes}:`]);
}

/** How often a save was tried again. */
async function retries({ url }: Program): Promise<number> {
  const metrics = await (await fetch(`${url}/metrics`)).text();
  return Number(/^customer360_retries_total\{[^}]*"store"[^}]*\} (\d+)$/m.exec(metrics)?.[1] ?? 0);
}

/** How readiness answers, and why. */
async function readiness({ url }: Program): Promise<string> {
  const answer = await fetch(`${url}/readyz`);
  return `${answer.status} ${await answer.text()}`;
}

type Shown = Pick<TrueCustomer, "score"> & { readonly payments: ReadonlyMap<string, number> };

function text(customers: ReadonlyMap<string, Shown>): string {
  const lines = [...customers].map(([id, { score, payments }]) =>
    JSON.stringify([id, score, [...payments].sort()]),
  );
  return lines.sort().join("\n");
}

test("a full disk below the embedded store stops ingest with a word, loses nothing, and with room again it goes on", async () => {
  const folder = temporaryFolder("full-disk");
  const pipeline = join(folder, "faults.yaml");
  writeFileSync(pipeline, PIPELINE);
  const records = join(folder, "records");
  mkdirSync(records);
  const made = new History({ seed: 7, customers: 300 }).take(5_000);
  const truth = new Truth();
  made.forEach((record, at) => truth.add({ ...record, offset: String(at) }));
  const full = await startProgram({ role: "all", pipeline, env: { RECORDS_DIR: records, NO_COLOR: "1" } });
  try {
    room(full, 1_500_000);
    for (const topic of [PEOPLE, PAYMENTS]) {
      const lines = made.flatMap((one) => (one.topic === topic && one.value !== null ? [one.value] : []));
      writeFileSync(join(folder, topic), `${lines.join("\n")}\n`);
      renameSync(join(folder, topic), join(records, `${topic}.ndjson`));
    }
    await expect.poll(() => retries(full), PATIENCE).toBeGreaterThan(3);
    expect(full.log()).toMatch(/SQLITE_(FULL|IOERR)\w* on .*saving failed, trying again/);
    await expect
      .poll(() => readiness(full), PATIENCE)
      .toMatch(/^503 .*saving has failed since \S+Z: sqlite: SQLITE_(FULL|IOERR)/);
    room(full, "unlimited");
    // Looking may fail as well, until an attempt finds that there is room.
    const shown = async () => text((await audit(full.url).catch(() => null))?.customers ?? NOBODY);
    await expect.poll(shown, PATIENCE).toBe(text(truth.customers()));
    await expect.poll(() => readiness(full), PATIENCE).toMatch(/^200 /);
    expect((await audit(full.url)).quarantined).toHaveLength(truth.poison.size);
  } finally {
    await full.stop();
    rmSync(folder, { recursive: true, force: true });
  }
});
