import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { inTime, inWords } from "../../src/cli/replay-progress.ts";
import { readSettings } from "../../src/config.ts";
import { replayConnectionsOf } from "../../src/connections.ts";
import { openReplay } from "../../src/replaying.ts";
import { readPlan } from "../../src/cli/options.ts";
import { beginProgress, isReplayed, replayId } from "../../src/ingest/replay/progress.ts";
import { readSqlite } from "../../src/embedded/database.ts";
import { EMPTY_SAVE } from "../../src/store/store.ts";
import { sqliteStore } from "../../src/store/sqlite/store.ts";
import { silentLog } from "../../src/log.ts";
import { documentsOf } from "../helpers/documents.ts";
import { said } from "./said.ts";

let directory: string;
let records: string;
let data: string;
let pipeline: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "replay-"));
  records = join(directory, "records");
  data = join(directory, "data");
  pipeline = join(directory, "shop.yaml");
  mkdirSync(records);
  writeFileSync(pipeline, SHOP);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(directory, { recursive: true });
});

const SHOP = `name: shop
tables:
  policies:
    topics: [shop.public.policies]
    key: [id]
    customer: customer_id
    rows: many
    sequenceBy: [version]
    columns:
      id: { type: bigint }
      customer_id: { type: text }
      version: { type: bigint }
  claims:
    topics: [shop.public.claims]
    key: [id]
    customer: customer_id
    rows: many
    sequenceBy: [version]
    columns:
      id: { type: bigint }
      customer_id: { type: text }
      version: { type: bigint }
`;

/** A record as captured from Kafka, made a second after the one before it. */
function captured(table: string, offset: number, id: number): string {
  const after = { id, customer_id: `c${id % 7}`, version: offset };
  const value = JSON.stringify({ op: "u", before: null, after });
  const timestamp = Date.parse("2026-01-31T10:00:00Z") + offset * 1_000;
  return `${JSON.stringify({ topic: `shop.public.${table}`, partition: 0, offset, timestamp, value })}\n`;
}

const lines = (table: string, count: number): string =>
  Array.from({ length: count }, (_, at) => captured(table, at, at % 50)).join("");

const ingest = () => said("ingest", pipeline, "--data", records, "--data-dir", data);
const replay = (...more: readonly string[]) =>
  said("replay", pipeline, "--data", records, "--data-dir", data, ...more);

/** What stands in a data directory, row by row, but for how often it was saved to and the counts of what was read. */
function rowsIn(dir: string): Readonly<Record<string, unknown>> {
  return readSqlite(join(dir, "store.db"), "STORE_UNAVAILABLE", (db) => {
    const names = db
      .prepare(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name",
      )
      .all<[string]>()
      .map(([name]) => name)
      .filter((name) => !["tallies", "saves"].includes(name));
    return Object.fromEntries(names.map((name) => [name, db.prepare(`SELECT * FROM ${name}`).all()]));
  });
}

async function opened<T>(
  dir: string,
  look: (store: ReturnType<typeof sqliteStore>) => Promise<T>,
): Promise<T> {
  const store = sqliteStore({ path: join(dir, "store.db"), plan: readPlan(pipeline) });
  try {
    return await look(store);
  } finally {
    await store.close();
  }
}

const documentsIn = (dir: string) => opened(dir, documentsOf);

const checkpointsIn = (dir: string) => opened(dir, (store) => store.checkpoints());

describe("replay of files", () => {
  test("into the same store changes no byte, and judges everything a duplicate or late", async () => {
    writeFileSync(join(records, "a.ndjson"), `${lines("policies", 300)}not json\n`);
    writeFileSync(join(records, "b.ndjson"), lines("claims", 100));
    await ingest();
    const before = rowsIn(data);
    const { code, out } = await replay();
    expect(code).toBe(0);
    expect(out).toMatch(/^claims +50 +duplicate\n/m);
    expect(out).toMatch(/^policies +250 +late\n/m);
    expect(out).toMatch(/^\(no table\) +1 +quarantined unreadable\n/m);
    expect(out).not.toContain("applied");
    expect(out).toMatch(/400 records read again in \d+ s; complete\n$/);
    expect(rowsIn(data)).toEqual(before);
  });

  test("into a new directory gives the same documents, leaves the first alone, and goes on there", async () => {
    writeFileSync(join(records, "a.ndjson"), lines("policies", 300));
    await ingest();
    const before = rowsIn(data);
    const into = join(directory, "rebuilt");
    const { code, out } = await replay("--into", into);
    expect(code).toBe(0);
    expect(out).toMatch(/^policies +300 +applied\n/);
    expect(await documentsIn(into)).toEqual(await documentsIn(data));
    expect(rowsIn(data)).toEqual(before);
    expect(await checkpointsIn(into)).toEqual(await checkpointsIn(data));
    const served = await said("ingest", pipeline, "--data", records, "--data-dir", into);
    expect(served.out).toBe("nothing new: every record was applied before\n");
  });

  test("what was lost comes back, and nothing else moves", async () => {
    writeFileSync(join(records, "a.ndjson"), lines("policies", 100));
    writeFileSync(join(records, "b.ndjson"), lines("claims", 100));
    rmSync(join(records, "b.ndjson"));
    await ingest();
    const checkpoints = await checkpointsIn(data);
    writeFileSync(join(records, "b.ndjson"), lines("claims", 100));
    expect((await replay()).out).toMatch(/^claims +100 +applied\n/);
    expect(await checkpointsIn(data)).toEqual(checkpoints);
  });

  test("a time range reads exactly what lies in it, and a topic nothing of another", async () => {
    writeFileSync(join(records, "a.ndjson"), lines("policies", 100) + lines("claims", 100));
    const range = ["--from", "2026-01-31T10:00:20Z", "--to", "2026-01-31T10:00:50Z"];
    const both = await replay(...range);
    expect(both.out).toBe(
      `claims    30  applied\npolicies  30  applied\n60 records read again in 1 s; complete\n`,
    );
    const one = await replay("--topic", "shop.public.claims", "--from", "2026-01-31T10:01:30+00:00");
    expect(one.out).toMatch(/^claims +10 +applied\n10 records/);
    const day = await replay("--to", "2026-01-31");
    expect(day.out).toMatch(/^0 records read again/);
  });

  test("one that was stopped goes on where it was, and reads the rest only", async () => {
    for (const name of ["a", "b", "c", "d", "e"])
      writeFileSync(join(records, `${name}.ndjson`), lines("policies", 8_000));
    const connections = replayConnectionsOf(readSettings({ dataDir: data }, {}), {
      data: records,
      into: null,
    });
    const id = replayId({ dir: records, topics: [], from: [], to: [] });
    const options = { plan: readPlan(pipeline), connections, id, topics: [], bounds: { from: [], to: [] } };
    const stopping = new AbortController();
    const first = await openReplay(
      { ...options, restart: false, isRebuild: false, log: silentLog },
      stopping.signal,
    );
    const running = first.run(stopping.signal);
    while ((await first.standing()).done === 0) await new Promise((resolve) => setImmediate(resolve));
    stopping.abort();
    expect(await running).toBe(false);
    const { records: read, done, total } = await first.standing();
    await first.close();
    expect(done).toBeLessThan(total);
    expect((await checkpointsIn(data)).every(isReplayed)).toBe(true);
    const second = await replay();
    expect(second.err).toContain("going on where it was stopped");
    expect(second.out).toMatch(
      new RegExp(`^${(40_000 - read).toLocaleString("en-US")} records read again`, "m"),
    );
    expect(await checkpointsIn(data)).toEqual([]);
    expect((await replay()).out).toContain("40,000 records read again");
  });

  test("--restart begins anew what was stopped", async () => {
    writeFileSync(join(records, "a.ndjson"), lines("policies", 10));
    const elsewhere = join(directory, "elsewhere");
    await said("ingest", pipeline, "--data", records, "--data-dir", elsewhere);
    const read = (await checkpointsIn(elsewhere))[0]?.topic ?? "";
    await opened(data, async (store) => {
      const { prefix } = await beginProgress(
        store,
        replayId({ dir: records, topics: [], from: [], to: [] }),
        [],
      );
      const all = { topic: prefix + read, partition: 0, nextOffset: String(lines("policies", 10).length) };
      await store.save({ ...EMPTY_SAVE, checkpoints: [all] });
    });
    expect((await replay()).out).toContain("0 records read again");
    expect((await replay("--restart")).out).toContain("10 records read again");
  });

  test.each([
    [
      ["--topic", "shop.public.nothing"],
      /reads no topic shop\.public\.nothing: it reads shop\.public\.policies/,
    ],
    [["--from", "yesterday"], /has to be an offset \(1200\)/],
    [["--from", "12"], /files take times/],
    [["--from", "2026-01-31T10:00:00Z", "--to", "2026-01-31"], /--from is not before --to/],
    [["--from", "1", "--from", "2026-01-31"], /a time and something else/],
    [["--from", "2026-02-30"], /has to be an offset \(1200\)/],
    [["--into", ""], /--into has to be a directory or a mongodb:\/\/ address, not ""/],
    [["--into", "redis://127.0.0.1/1"], /--into has to be a directory or a mongodb:\/\/ address/],
    [["--data", ""], /the folder of records "" does not exist/],
  ])("%s is refused in words that say what to do", async (args, words) => {
    const { code, err } = await replay(...args);
    expect(code).toBe(2);
    expect(err).toMatch(words);
  });

  test("a store that is no new one is not rebuilt, nor the store itself, nor from nothing", async () => {
    writeFileSync(join(records, "a.ndjson"), lines("policies", 10));
    await ingest();
    const other = join(directory, "other");
    const at = ["--data", records, "--data-dir", other];
    const full = await said("replay", pipeline, ...at, "--into", data);
    expect(full.code).toBe(2);
    expect(full.err).toContain("holds customers already");
    const itself = await replay("--into", data);
    expect(itself.code).toBe(2);
    expect(itself.err).toContain("--into names the store itself");
    const nothing = await said("replay", pipeline, "--data-dir", other);
    expect(nothing.code).toBe(2);
    expect(nothing.err).toContain("give --data or RECORDS_DIR for files, or KAFKA_BROKERS for topics");
    vi.stubEnv("MONGODB_URI", "mongodb://a:b@two:1,one:2/bank?replicaSet=rs");
    const same = await said("replay", pipeline, ...at, "--into", "mongodb://one:2,two:1/bank");
    expect(same.err).toContain("--into names the store itself");
  });
});

test("progress is told as share, rate and what is left", () => {
  const since = { unit: "records", first: 1_000, ms: 4_000 } as const;
  expect(inWords({ done: 45_000, total: 120_000, records: 44_000 }, since)).toBe(
    "read again 45,000 of 120,000 records (37 %), 11,000 records/s, about 7 s left",
  );
  expect(inWords({ done: 1_000, total: 2_500_000, records: 0 }, { ...since, unit: "bytes" })).toBe(
    "read again 0.0 of 2.5 MB (0 %), 0 records/s",
  );
  expect([99_000, 100_001, 3_600_000, 7_500_000].map(inTime)).toEqual([
    "99 s",
    "2 min",
    "60 min",
    "2 h 5 min",
  ]);
});
