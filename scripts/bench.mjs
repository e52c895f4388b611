// Measures: the product by itself, or with `engine` on real servers beside what could be used instead.
//
//   npm run bench                                   see `customer360 bench --help`
//   npm run bench -- engine                         Kafka, a MongoDB-protocol server and Redis, from `npm run servers`
//   npm run bench -- engine --only screens --only steps
//   npm run bench -- engine --rounds 5 --records 40000 --rebuild 1000000 --seconds 10 --json engine.json
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { parseArgs } from "node:util";

const root = join(import.meta.dirname, "..");
const args = process.argv.slice(2);

function run(command, words, env = {}) {
  const { status } = spawnSync(command, words, { stdio: "inherit", env: { ...process.env, ...env } });
  if (status !== 0) process.exit(status ?? 1);
}

function engineSettings(words) {
  const names = ["rounds", "records", "rebuild", "seconds", "json"];
  const options = Object.fromEntries(names.map((name) => [name, { type: "string" }]));
  const { values } = parseArgs({
    args: words,
    options: { ...options, only: { type: "string", multiple: true } },
  });
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [`CUSTOMER360_ENGINE_${name.toUpperCase()}`, value]),
  );
}

if (args[0] === "engine") {
  let settings;
  try {
    settings = engineSettings(args.slice(1));
  } catch (error) {
    process.stderr.write(`${error.message}\n`);
    process.exit(2);
  }
  run("npx", ["vitest", "run", "--config", join(root, "test/engine/vitest.config.ts")], settings);
} else {
  run(process.execPath, [join(root, "scripts/build.mjs")]);
  run(process.execPath, ["--expose-gc", join(root, "dist/main.js"), "bench", ...args]);
}
