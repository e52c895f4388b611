// Plants small faults in the core and the path of a change, one at a time, in a copy of the project, and runs the tests that
// guard the place. A fault that no test notices is a hole in the tests: it is named, and the exit code is 1.
//
//   npm run test:mutants              all of them
//   npm run test:mutants -- delete    those whose name contains a word
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const CUSTOMER = ["test/customer", "test/property/convergence.test.ts", "test/property/derive.test.ts"];
const INGEST = ["test/ingest", "test/property/crash.test.ts"];

/** Each fault: what it forgets, where, the text it replaces (which must occur exactly once), the tests that have to notice. */
const MUTANTS = [
  {
    name: "forget the head of a deleted row",
    file: "src/customer/fold.ts",
    find: "{ row: replacement(change), verdict",
    replace: '{ row: change.op === "delete" ? undefined : replacement(change), verdict',
    tests: CUSTOMER,
  },
  {
    name: "compare by arrival, not by position",
    file: "src/customer/judge.ts",
    find: "position > row.at",
    replace: "position !== row.at",
    tests: CUSTOMER,
  },
  {
    name: "let an equal position replace",
    file: "src/customer/judge.ts",
    find: "position > row.at",
    replace: "position >= row.at",
    tests: CUSTOMER,
  },
  {
    name: "take every change for a whole one",
    file: "src/customer/judge.ts",
    find: 'change.op === "delete" || !change.partial',
    replace: "true",
    tests: CUSTOMER,
  },
  {
    name: "keep a repetition's first-seen offset as it was",
    file: "src/customer/judge.ts",
    find: "compareOffsets(row.origin.offset, origin.offset) <= 0",
    replace: "true",
    tests: CUSTOMER,
  },
  {
    name: "block what stands exactly at a truncate",
    file: "src/customer/judge.ts",
    find: "position < watermark",
    replace: "position <= watermark",
    tests: CUSTOMER,
  },
  {
    name: "drop the tie rule within a partition",
    file: "src/customer/ties.ts",
    find: "compareOffsets(rival.origin.offset, finalist.origin.offset) > 0",
    replace: "rival.origin.offset.length < 0",
    tests: CUSTOMER,
  },
  {
    name: "drop the tie rule among partitions",
    file: "src/customer/ties.ts",
    find: "compareParts(finalist, best) > 0 ? finalist : best",
    replace: "best.set === null ? finalist : best",
    tests: CUSTOMER,
  },
  {
    name: "let columns come back from below a delete",
    file: "src/customer/parts.ts",
    find: "(part.set === null || part.whole) && part.at > barrier",
    replace: "part.whole && part.at > barrier",
    tests: CUSTOMER,
  },
  {
    name: "let rows stand below a truncate",
    file: "src/customer/parts.ts",
    find: "if (row.at < watermark) return undefined;",
    replace: "",
    tests: CUSTOMER,
  },
  {
    name: "note a page's first version only",
    file: "src/customer/page.ts",
    find: "page.revision <= (known?.revision ?? 0)",
    replace: "known !== undefined",
    tests: CUSTOMER,
  },
  {
    name: "add to sums but never take away",
    file: "src/customer/totals.ts",
    find: 'subtractUnits(total.sum ?? "0", out.sum)',
    replace: '(total.sum ?? "0")',
    tests: CUSTOMER,
  },
  {
    name: "keep an extreme whose row is gone",
    file: "src/customer/totals.ts",
    find: "{ ...put, count } : null",
    replace: "{ ...put, count } : { ...total, count }",
    tests: CUSTOMER,
  },
  {
    name: "forget late versions in the history",
    file: "src/customer/apply.ts",
    find: "if (isOwn(change, customer)) memory",
    replace: 'if (one.verdict === "applied") memory',
    tests: CUSTOMER,
  },
  {
    name: "see a crossing in any two versions",
    file: "src/customer/versions.ts",
    find: "crossing.below < crossing.above",
    replace: "crossing.below !== crossing.above",
    tests: CUSTOMER,
  },
  {
    name: "keep segments when only a row changed",
    file: "src/customer/derive.ts",
    find: "metrics === before.metrics && sameOneRowTables(before, after, lookup(plan))",
    replace: "metrics === before.metrics",
    tests: CUSTOMER,
  },
  {
    name: "make an expired offer again while it is still earned",
    file: "src/customer/offers.ts",
    find: "return earned ? old : { ...old, rearmed: true };",
    replace: "return earned ? trigger(offer, earning) : { ...old, rearmed: true };",
    tests: CUSTOMER,
  },
  {
    name: "name no segments among what changed",
    file: "src/customer/diff.ts",
    find: 'changed.push(path("segments", segment));',
    replace: "",
    tests: CUSTOMER,
  },
  {
    name: "drop what waits in the outbox",
    file: "src/customer/apply.ts",
    find: "[...before.outbox, announcement]",
    replace: "[announcement]",
    tests: CUSTOMER,
  },
  {
    name: "publish before save",
    file: "src/ingest/pipeline.ts",
    find: 'watch("save");',
    replace:
      "await shell.outlet.publish(folded.flatMap(({ applied: { customer } }) => customer.outbox.map((one) => ({ ...one, customer }))), new Set());",
    tests: INGEST,
  },
  {
    name: "acknowledge before publish",
    file: "src/ingest/pipeline.ts",
    find: 'watch("save");',
    replace: "for (const batch of batches) acknowledgements.done(batch);",
    tests: INGEST,
  },
  {
    name: "acknowledge more than the contiguous prefix",
    file: "src/ingest/acknowledgements.ts",
    find: "if (!partition.done.delete(first)) return;",
    replace: "partition.done.delete(first);",
    tests: INGEST,
  },
  {
    name: "confirm before publish",
    file: "src/ingest/relay.ts",
    find: "if (announced.length > 0) await updates.publish(announced);",
    replace:
      "await store.save({ ...EMPTY_SAVE, confirms: announced.map(({ customerId, revision }) => ({ customerId, revision })) });\n  if (announced.length > 0) await updates.publish(announced);",
    tests: INGEST,
  },
  {
    name: "forget to carry the outbox forward",
    file: "src/ingest/save.ts",
    find: "boundOutbox(published.missing(after), MOST_ANNOUNCED)",
    replace: "published.missing(after).filter(({ revision }) => revision === after.revision)",
    tests: INGEST,
  },
  {
    name: "publish nothing for a redelivered batch",
    file: "src/ingest/save.ts",
    find: "const after = saved.get(customer.customerId) ?? customer;",
    replace: "const after = saved.get(customer.customerId);\n    if (after === undefined) continue;",
    tests: INGEST,
  },
  {
    name: "take a conflict for a save",
    file: "src/ingest/save.ts",
    find: "if (conflicts.has(customer.customerId)) {",
    replace: "if (conflicts.size < 0) {",
    tests: INGEST,
  },
];

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
    fail(`"${name}": ${file} holds its text ${times} times, not once; bring scripts/mutants.mjs up to date`);
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
