import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";

const require = createRequire(import.meta.url);
const vitest = join(dirname(require.resolve("vitest/package.json")), "vitest.mjs");

/** Runs a suite whose server is nowhere to be found. */
function withoutServer(ci: string) {
  const { MONGODB_TEST_URI: _named, ...env } = process.env;
  const run = spawnSync(process.execPath, [vitest, "run", "test/servers/mongo.server.test.ts"], {
    env: { ...env, CUSTOMER360_SERVERS: "/nowhere", CI: ci, NO_COLOR: "1" },
    encoding: "utf8",
  });
  return { code: run.status, said: run.stdout + run.stderr };
}

const REASON = "the jars of mongo were not obtained: npm run servers -- mongo";

test("without its server a suite is skipped, and says why and what to do", () => {
  const { code, said } = withoutServer("");
  expect(said).toContain(`skipped: MongoDB protocol in memory: ${REASON}`);
  expect(said).toMatch(/Tests +(\d+) skipped \(\1\)/);
  expect(code).toBe(0);
});

test("with CI=true it fails", () => {
  const { code, said } = withoutServer("true");
  expect(said).toContain(`Error: ${REASON}`);
  expect(code).toBe(1);
});
