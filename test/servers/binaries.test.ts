import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { addressOf, findProgram, missing } from "./binaries.ts";

let cache: string;
beforeEach(() => {
  cache = mkdtempSync(join(tmpdir(), "binaries-"));
  vi.stubEnv("CUSTOMER360_SERVERS", cache);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(cache, { recursive: true, force: true });
});

function put(path: string): string {
  const file = join(cache, path);
  mkdirSync(join(file, ".."), { recursive: true });
  writeFileSync(file, "");
  return file;
}

describe("a program", () => {
  test("that was unpacked is found, and finds its libraries", () => {
    const path = put("redis/usr/bin/no-such-server");
    put("redis/usr/lib/x86_64-linux-gnu/library.so");
    expect(findProgram("redis", "no-such-server")).toEqual({
      path,
      env: { LD_LIBRARY_PATH: join(cache, "redis/usr/lib/x86_64-linux-gnu") },
    });
  });

  test("that is installed wins, and needs no help", () => {
    put("redis/usr/bin/sh");
    expect(findProgram("redis", "sh")).toEqual({ path: expect.not.stringContaining(cache), env: {} });
  });

  test("of PostgreSQL lies in the folder of its version", () => {
    const path = put("postgres/usr/lib/postgresql/15/bin/no-such-server");
    expect(findProgram("postgres", "no-such-server")?.path).toBe(path);
  });

  test("that is nowhere is null", () => {
    expect(findProgram("redis", "no-such-server")).toBeNull();
  });
});

describe("a server", () => {
  test("that was not obtained is missing, and how to obtain it is said", () => {
    expect(missing("debezium-postgres")).toBe(
      "the jars of debezium-postgres were not obtained: npm run servers -- debezium-postgres",
    );
  });

  test("that the environment names is not missing; an empty variable names none", () => {
    vi.stubEnv("MONGODB_TEST_URI", "");
    expect([addressOf("mongo"), missing("mongo")]).toEqual([null, expect.stringContaining("not obtained")]);
    vi.stubEnv("MONGODB_TEST_URI", "mongodb://elsewhere/");
    expect([addressOf("mongo"), missing("mongo")]).toEqual(["mongodb://elsewhere/", null]);
  });

  test("that was compiled from another source is missing", () => {
    put("mongo/stamp");
    writeFileSync(put("mongo/source/ProtocolServer.java"), "class ProtocolServer {}");
    expect(missing("mongo")).toBe(
      "mongo was obtained for another version of this project: npm run servers -- mongo",
    );
  });
});
