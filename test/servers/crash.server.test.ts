import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { describeServer } from "./describe-server.ts";
import { temporaryFolder } from "./folders.ts";
import { answers } from "./ports.ts";

const require = createRequire(import.meta.url);
const compiler = join(dirname(require.resolve("typescript/package.json")), "bin", "tsc");
const PROGRAM = `
  import { startRedis } from "./redis.js";
  const redis = await startRedis({ config: {} });
  redis.freeze();
  process.send({ dataDir: redis.dataDir, port: redis.port });
  setInterval(() => {}, 1000);
`;

/** Nothing to start: what the suite is about is a server that another process starts. */
const nothing = { needs: ["redis"], start: () => Promise.resolve(null) } as const;

describeServer("a test run that crashes", nothing, () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "crash-"));
    const options = ["--ignoreConfig", "--outDir", folder, "--module", "nodenext", "--target", "es2023"];
    const more = ["--types", "node", "--skipLibCheck", "--rewriteRelativeImportExtensions"];
    execFileSync(process.execPath, [compiler, ...options, ...more, join(import.meta.dirname, "redis.ts")]);
    writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
    writeFileSync(join(folder, "program.js"), PROGRAM);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test("its servers end with it, even a frozen one, and the next run removes their files", async () => {
    const run = spawn(process.execPath, [join(folder, "program.js")], {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    const [{ dataDir, port }] = (await once(run, "message")) as [{ dataDir: string; port: number }];
    expect([await answers(port), existsSync(dataDir)]).toEqual([true, true]);
    run.kill("SIGKILL");
    await once(run, "exit");
    await expect.poll(() => answers(port)).toBe(false);
    rmSync(temporaryFolder("next"), { recursive: true });
    expect(existsSync(dataDir)).toBe(false);
  });
});
