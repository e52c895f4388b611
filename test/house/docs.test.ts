import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { describe, expect, test } from "vitest";

const root = resolve(import.meta.dirname, "../..");
const read = (path: string) => readFileSync(join(root, path), "utf8");

/** Members of a union of text literals, read from its declaration. */
function members(path: string, type: string): readonly string[] {
  const code = read(path).replace(/\/\/.*$/gm, "");
  const [, body = ""] = new RegExp(`export type ${type} =([^;]*);`).exec(code) ?? [];
  return [...body.matchAll(/"([^"]+)"/g)].map(([, member = ""]) => member);
}

const guides = [
  "README.md",
  "CONTRIBUTING.md",
  ...readdirSync(join(root, "docs")).map((name) => `docs/${name}`),
].filter((path) => path.endsWith(".md"));

describe("the documentation", () => {
  test.each([
    ["src/errors.ts", "ErrorCode"],
    ["src/cdc/change.ts", "RefusalCode"],
    ["src/cdc/change.ts", "Verdict"],
  ])("the operations guide explains every member of %s %s", (path, type) => {
    const codes = members(path, type);
    const guide = read("docs/OPERATIONS.md");
    expect(codes.length).toBeGreaterThan(4);
    expect(codes.filter((code) => !guide.includes(`| \`${code}\``))).toEqual([]);
  });

  test.each(guides)("every local link of %s leads somewhere", (path) => {
    const links = [...read(path).matchAll(/\]\(([^)#:]+)(#[^)]*)?\)/g)].map(([, to = ""]) => to);
    for (const to of links) expect(existsSync(join(root, dirname(path), to)), to).toBe(true);
  });

  test.each(guides)("every file that %s names is there", (path) => {
    const named = [...read(path).matchAll(/`((?:src|test|docs|scripts|pipelines|deploy)\/[\w./-]*\w)`/g)];
    const missing = named.map(([, file = ""]) => file).filter((file) => !existsSync(join(root, file)));
    expect(missing).toEqual([]);
  });

  test("the reading path leads from file to file, and the table of folders names them all", () => {
    const guide = read("docs/ARCHITECTURE.md");
    const [, path = ""] = /## Reading path([^]*?)\n## /.exec(guide) ?? [];
    const steps = [...path.matchAll(/`([\w/-]+)`/g)].map(([, step = ""]) => step);
    const isThere = (step: string) =>
      existsSync(join(root, `src/${step}.ts`)) || existsSync(join(root, `src/customer/${step}.ts`));
    expect(steps.length).toBeGreaterThan(10);
    expect(steps.filter((step) => !isThere(step))).toEqual([]);
    const folders = readdirSync(join(root, "src"), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);
    expect(folders.filter((name) => name !== "bench" && !guide.includes(`| \`${name}\` `))).toEqual([]);
  });

  test("decisions are numbered without holes", () => {
    const numbers = readdirSync(join(root, "docs/decisions"))
      .map((name) => Number(name.slice(0, 4)))
      .sort((a, b) => a - b);
    expect(numbers).toEqual(numbers.map((_, at) => at + 1));
  });

  test("the lock file knows the optional dependencies of every platform, or npm ci refuses it", () => {
    const { packages } = JSON.parse(read("package-lock.json")) as {
      packages: Record<string, { optionalDependencies?: Record<string, string> }>;
    };
    const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies).filter(
        (name) => !(`node_modules/${name}` in packages) && !(`${path}/node_modules/${name}` in packages),
      ),
    );
    expect(missing).toEqual([]);
  });

  test("nothing that is installed runs a script of its own", () => {
    const lock = JSON.parse(read("package-lock.json")) as { packages: Record<string, object> };
    const scripted = Object.entries(lock.packages).filter(([, entry]) => "hasInstallScript" in entry);
    expect(scripted.map(([name]) => name)).toEqual([]);
  });
});
