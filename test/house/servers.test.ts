import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const tests = join(import.meta.dirname, "..");

test("suites on real servers are named so that they run one after the other", () => {
  const files = readdirSync(tests, { recursive: true, encoding: "utf8" }).filter((file) =>
    file.endsWith(".test.ts"),
  );
  const onServers = files.filter((file) =>
    /from ".*\/describe-server\.ts"/.test(readFileSync(join(tests, file), "utf8")),
  );
  expect(onServers.length).toBeGreaterThan(0);
  expect(onServers.filter((file) => !/\.(server|e2e)\.test\.ts$/.test(file))).toEqual([]);
});
