import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";

interface Mutant {
  readonly name: string;
  readonly file: string;
  readonly find: string;
  readonly tests: readonly string[];
}

const root = join(import.meta.dirname, "../..");
const list = pathToFileURL(join(root, "scripts/mutant-list.mjs")).href;
const { MUTANTS } = (await import(list)) as { readonly MUTANTS: readonly Mutant[] };

test.each(MUTANTS)("there is one place to $name, and tests that are to notice", ({ file, find, tests }) => {
  expect(readFileSync(join(root, file), "utf8").split(find).length - 1).toBe(1);
  expect(tests.filter((path) => !existsSync(join(root, path)))).toEqual([]);
});
