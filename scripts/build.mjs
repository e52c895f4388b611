// Builds dist/ from src/ with the compiler alone, from scratch: a file that left src must not live on in the package.
import { execFileSync } from "node:child_process";
import { chmodSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const root = join(import.meta.dirname, "..");
const require = createRequire(import.meta.url);
const compiler = join(dirname(require.resolve("typescript/package.json")), "bin", "tsc");

process.stderr.write("building...\n");
rmSync(join(root, "dist"), { recursive: true, force: true });
try {
  execFileSync(process.execPath, [compiler, "-p", "tsconfig.build.json"], { cwd: root, stdio: "inherit" });
} catch (error) {
  process.exit(typeof error.status === "number" ? error.status : 1);
}

const bin = join(root, "dist", "main.js");
if (!readFileSync(bin, "utf8").startsWith("#!/usr/bin/env node"))
  throw new Error("dist/main.js has lost its first line");
chmodSync(bin, 0o755);
