import type * as fs from "node:fs";
import type * as promises from "node:fs/promises";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { codeOf } from "../../../src/errors.ts";
import { fileSource } from "../../../src/ingest/files/source.ts";
import type { Source } from "../../../src/ingest/source.ts";
import { manualClock } from "../../helpers/manual-clock.ts";
import { world } from "../world.ts";

type Call = "open" | "stat" | "stream";

/** What the system refuses: answers the code a call on a path fails with, or null. */
const system = vi.hoisted(() => ({ refuses: (_call: Call, _path: string): string | null => null }));

function refusal(call: Call, path: unknown): Error | null {
  const code = system.refuses(call, String(path));
  return code === null ? null : Object.assign(new Error(`${code}: injected`), { code });
}

vi.mock("node:fs/promises", async (original) => {
  const real = await original<typeof promises>();
  const open: typeof real.open = async (path, ...rest) => {
    const error = refusal("open", path);
    if (error !== null) throw error;
    return real.open(path, ...rest);
  };
  const stat = async (path: string) => {
    const error = refusal("stat", path);
    if (error !== null) throw error;
    return real.stat(path);
  };
  return { ...real, open, stat };
});

vi.mock("node:fs", async (original) => {
  const real = await original<typeof fs>();
  const createReadStream: typeof real.createReadStream = (path, options) => {
    const stream = real.createReadStream(path, options);
    const error = refusal("stream", path);
    return error === null ? stream : stream.destroy(error);
  };
  return { ...real, createReadStream };
});

const FOREVER = new AbortController().signal;
let dir = "";
let from: Source;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "customer360-outage-"));
  from = fileSource({ dir, tables: world.tables, clock: manualClock(), follow: false, maxBytes: 100 });
});

afterEach(async () => {
  system.refuses = () => null;
  await from.close();
  await rm(dir, { recursive: true, force: true });
});

const amounts = Array.from({ length: 40 }, (_, at) => `{"amount":${at}}`);

/** Everything the source brings, called again after each failure; the failures by their codes. */
async function patiently(): Promise<{
  readonly values: readonly string[];
  readonly failures: readonly unknown[];
}> {
  const values: string[] = [];
  const failures: unknown[] = [];
  for (;;) {
    const batches = await from.next(FOREVER).catch((error: unknown) => {
      failures.push(codeOf(error));
      return [];
    });
    if (batches === null) return { values, failures };
    for (const { records } of batches)
      for (const { value } of records) values.push(Buffer.from(value ?? []).toString());
  }
}

test.each(["EMFILE", "ENFILE", "EIO", "ESTALE", "EBUSY", "EAGAIN", "ENOMEM"])(
  "%s is an outage of the source: next throws, and every record comes once when it is over",
  async (code) => {
    await writeFile(join(dir, "ledger-a.ndjson"), amounts.slice(0, 20).join("\n"));
    await writeFile(join(dir, "ledger-b.ndjson.gz"), gzipSync(amounts.slice(20).join("\n")));
    await from.start(async () => []);
    let calls = 0;
    system.refuses = () => (++calls % 3 === 0 && calls < 60 ? code : null);
    const { values, failures } = await patiently();
    expect([...values].sort()).toEqual([...amounts].sort());
    expect(new Set(failures)).toEqual(new Set(["SOURCE_UNAVAILABLE"]));
    expect(from.unreadable()).toEqual([]);
  },
);

test.each(["ledger-a.ndjson", "ledger-a.ndjson.gz"])(
  "an outage of %s lets the others go on, and loses nothing",
  async (name) => {
    const lines = amounts.slice(0, 20).join("\n");
    await writeFile(join(dir, name), name.endsWith(".gz") ? gzipSync(lines) : lines);
    await writeFile(join(dir, "ledger-b.ndjson"), amounts.slice(20).join("\n"));
    let isOut = false;
    system.refuses = (call, path) => (isOut && call !== "stat" && path.endsWith(name) ? "EIO" : null);
    await from.start(async () => []);
    isOut = true;
    const seen: string[] = [];
    const take = async (): Promise<void> => {
      for (const { records } of (await from.next(FOREVER)) ?? [])
        for (const { value } of records) seen.push(Buffer.from(value ?? []).toString());
    };
    await expect(
      (async () => {
        for (;;) await take();
      })(),
    ).rejects.toMatchObject({ code: "SOURCE_UNAVAILABLE" });
    expect(seen).toEqual(amounts.slice(20));
    isOut = false;
    for (let before = -1; before !== seen.length;) {
      before = seen.length;
      await take();
    }
    expect([...seen].sort()).toEqual([...amounts].sort());
  },
);

test.each(["EACCES", "EISDIR"])(
  "%s is a fault of the file: it is reported, the rest goes on",
  async (code) => {
    await writeFile(join(dir, "ledger-a.ndjson"), "{}\n");
    await writeFile(join(dir, "ledger-b.ndjson"), amounts.join("\n"));
    system.refuses = (call, path) => (call === "open" && path.endsWith("ledger-a.ndjson") ? code : null);
    await from.start(async () => []);
    const { values, failures } = await patiently();
    expect(values).toEqual(amounts);
    expect(failures).toEqual([]);
    expect(from.unreadable().map(({ reason }) => reason)).toEqual([`${code}: injected`]);
  },
);
