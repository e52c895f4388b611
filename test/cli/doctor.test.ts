import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Libsql from "libsql";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { run } from "../../src/cli/program.ts";
import type { Finding } from "../../src/doctor/report.ts";
import { openDataDirectory } from "../../src/embedded/data-directory.ts";
import { said } from "./said.ts";

const PIPELINE = "pipelines/banking.yaml";

let directory: string;
let data: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "doctor-"));
  data = join(directory, "data");
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(directory, { recursive: true });
});

const doctor = (...args: readonly string[]) => said("doctor", PIPELINE, "--data-dir", data, ...args);

async function ingested(): Promise<void> {
  const records = join(directory, "records");
  mkdirSync(records);
  writeFileSync(join(records, "patterns.ndjson"), '{"customer_id":"1"}\n');
  expect((await said("ingest", PIPELINE, "--data", records, "--data-dir", data)).code).toBe(0);
}

describe("the doctor of an embedded installation", () => {
  test("what does not exist yet is well, and is not made by looking", async () => {
    const { code, out } = await doctor();
    expect(code).toBe(0);
    expect(out).toContain(
      `ok       data directory directory: ${data} does not exist -> the first start makes it`,
    );
    expect(readdirSync(directory)).toEqual([]);
  });

  test("a store that was written is told with its schema, and left as it was", async () => {
    await ingested();
    const before = readdirSync(data).sort();
    const { code, out } = await doctor();
    expect(code).toBe(0);
    expect(out).toMatch(/^ok {7}data directory store: schema \d+$/m);
    expect(out).toContain("ok       data directory in use: by no other process");
    expect(readdirSync(data).sort()).toEqual(before);
  });

  test("a directory that another process holds is a warning, and its store is looked at beside it", async () => {
    await ingested();
    const held = openDataDirectory(data, { fresh: false });
    try {
      const { code, out } = await doctor();
      expect(out).toMatch(/^warning {2}data directory in use: another customer360 process holds it -> /m);
      expect(out).toMatch(/^ok {7}data directory store: schema/m);
      expect(code).toBe(0);
    } finally {
      held.release();
    }
  });

  test("a store of another program is wrong, and the exit code is 1", async () => {
    mkdirSync(data);
    writeFileSync(join(data, "store.db"), "this is no database, and long enough for one ".repeat(100));
    const { code, out } = await doctor();
    expect(out).toMatch(/^wrong {4}data directory store: /m);
    expect(code).toBe(1);
  });

  test.each([
    [2, /^ok {7}data directory store: schema 2 -> the next start brings it up to date$/m, 0],
    [99, /^wrong {4}data directory store: .* has schema 99, this program knows \d+ -> run the program/m, 1],
  ])("a store of schema %d is told, and not touched", async (version, words, exit) => {
    await ingested();
    const file = new Libsql(join(data, "store.db"));
    file.exec(`PRAGMA user_version = ${version}`);
    const { code, out } = await doctor();
    expect(out).toMatch(words);
    expect(code).toBe(exit);
    expect(file.prepare("PRAGMA user_version").raw().get()).toEqual([version]);
    file.close();
  });

  test("an examination that was stopped does not pass for one that found nothing", async () => {
    const silent = { out: () => {}, err: () => {}, interactive: false, color: false };
    expect(await run(["doctor", PIPELINE, "--data-dir", data], silent, AbortSignal.abort())).toBe(1);
  });

  test("a data directory that is a file is wrong", async () => {
    writeFileSync(data, "");
    const { code, out } = await doctor();
    expect(out).toMatch(/^wrong {4}data directory directory: .* is no directory -> name another/m);
    expect(code).toBe(1);
  });

  test("the files of a folder of records are counted", async () => {
    await ingested();
    const { out } = await doctor("--records", join(directory, "records"));
    expect(out).toContain(`ok       records files: 1 in ${join(directory, "records")}`);
  });

  test("--json prints the findings and nothing else", async () => {
    const { out } = await doctor("--json");
    const findings = JSON.parse(out) as Finding[];
    expect(findings).toContainEqual({
      component: "data directory",
      check: "directory",
      state: "ok",
      found: `${data} does not exist`,
      todo: "the first start makes it",
    });
  });
});

describe("the doctor's settings", () => {
  test("what is configured is said, and what is not, with how to", async () => {
    const { code, out } = await doctor();
    expect(code).toBe(0);
    expect(out.split("\n").slice(0, 3)).toEqual([
      "warning  settings records: none are read -> give RECORDS_DIR (--records) or KAFKA_BROKERS",
      `ok       settings store: embedded, in ${data} -> MONGODB_URI keeps customers in MongoDB instead`,
      `ok       settings updates: embedded, in ${data} -> REDIS_URL sends them through Redis instead`,
    ]);
    mkdirSync(data);
    expect((await doctor("--records", data)).out).toContain(
      `ok       settings records: from files in ${data} (RECORDS_DIR)`,
    );
  });

  test("a variable that is nearly one of ours is a warning, for start as well", async () => {
    vi.stubEnv("REDIS_URI", "redis://localhost");
    expect((await doctor()).out).toContain(
      "warning  settings names: REDIS_URI is not read -> did you mean REDIS_URL?",
    );
    const { err } = await said("start", PIPELINE, "--data-dir", data, "--host", "0.0.0.0");
    expect(err).toContain("REDIS_URI is not read: did you mean REDIS_URL?");
  });

  test("settings that need one another are refused as start refuses them, with 2", async () => {
    const { code, err } = await doctor("--role", "ingest");
    expect(code).toBe(2);
    expect(err).toContain("MONGODB_URI is missing");
  });

  test("a folder of records that is not there is a misuse", async () => {
    const { code, err } = await doctor("--records", join(directory, "nope"));
    expect(code).toBe(2);
    expect(err).toContain("does not exist");
  });
});

describe("a server that accepts and never answers", () => {
  let server: Server;
  const sockets = new Set<Socket>();
  beforeEach(async () => {
    server = createServer((socket) => void sockets.add(socket.on("error", () => {})));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  });
  afterEach(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });

  test.each(["KAFKA_BROKERS", "MONGODB_URI", "REDIS_URL"])(
    "%s: it is given up at its deadline",
    async (name) => {
      const { port } = server.address() as AddressInfo;
      const scheme = {
        KAFKA_BROKERS: "",
        MONGODB_URI: "mongodb://joe:s3cret@",
        REDIS_URL: "redis://:s3cret@",
      }[name];
      vi.stubEnv(name, `${scheme}127.0.0.1:${port}`);
      vi.stubEnv("CURSOR_SECRET", "a-secret-of-more-than-32-characters-in-all");
      const { code, out } = await doctor("--timeout", "1");
      expect(out).toMatch(/^wrong {4}(kafka|mongodb|redis) (connection|answer): /m);
      expect(out).toMatch(/^ok {7}data directory space/m);
      expect(out).not.toContain("s3cret");
      expect(code).toBe(1);
    },
  );
});
