// Plants small faults in the core and the path of a change, one at a time, in a copy of the project, and runs the tests that
// guard the place. A fault that no test notices is a hole in the tests: it is named, and the exit code is 1.
//
//   npm run test:mutants              all of them
//   npm run test:mutants -- delete    those whose name contains a word
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MUTANTS } from "./mutant-list.mjs";

const root = join(import.meta.dirname, "..");
const PARTS = ["src", "test", "pipelines", "package.json", "tsconfig.json", "vitest.config.ts"];
/** Enough to see each fault many times over, and no more. */
const HISTORIES = "3000";

const word = process.argv[2] ?? "";
const chosen = MUTANTS.filter(({ name }) => name.includes(word));
if (chosen.length === 0) fail(`no fault is named like "${word}"`);

const copy = mkdtempSync(join(tmpdir(), "customer360-mutants-"));
process.on("exit", () => rmSync(copy, { recursive: true, force: true }));
for (const part of PARTS) cpSync(join(root, part), join(copy, part), { recursive: true });
symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));

for (const { name, file, find } of chosen) {
  const times = readFileSync(join(copy, file), "utf8").split(find).length - 1;
  if (times !== 1)
    fail(
      `"${name}": ${file} holds its text ${times} times, not once; bring scripts/mutant-list.mjs up to date`,
    );
}
const sound = run([...new Set(chosen.flatMap(({ tests }) => tests))]);
if (sound.failed > 0 || sound.passed === 0) fail(`the tests do not pass without any fault:\n${sound.output}`);

const survivors = [];
for (const { name, file, find, replace, tests } of chosen) {
  const path = join(copy, file);
  const original = readFileSync(path, "utf8");
  // A function as replacement: in a string, `$` would have a meaning.
  writeFileSync(
    path,
    original.replace(find, () => replace),
  );
  const { failed, passed, output } = run(tests);
  writeFileSync(path, original);
  if (failed + passed === 0) fail(`"${name}" does not run at all:\n${output}`);
  if (failed === 0) survivors.push(name);
  console.log(`${failed > 0 ? "caught  " : "SURVIVED"}  ${name}`);
}
console.log(`${chosen.length - survivors.length} of ${chosen.length} faults caught`);
if (survivors.length > 0) process.exit(1);

/** Runs some tests in the copy, up to the first that fails. */
function run(tests) {
  const vitest = join(copy, "node_modules/vitest/vitest.mjs");
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [vitest, "run", "--bail=1", "--reporter=json", ...tests],
    {
      cwd: copy,
      encoding: "utf8",
      env: { ...process.env, CUSTOMER360_HISTORIES: HISTORIES },
      maxBuffer: 1 << 28,
    },
  );
  const start = stdout.indexOf("{");
  const report = start < 0 ? {} : JSON.parse(stdout.slice(start, stdout.lastIndexOf("}") + 1));
  const { numFailedTests = 0, numPassedTests = 0 } = report;
  return {
    failed: numFailedTests,
    passed: numPassedTests,
    output: `${stdout.slice(0, 4000)}\n${stderr.slice(0, 4000)}`,
  };
}

function fail(reason) {
  console.error(reason);
  process.exit(2);
}
