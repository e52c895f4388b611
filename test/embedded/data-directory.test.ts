import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openDataDirectory } from "../../src/embedded/data-directory.ts";

let path = "";
let file = "";
beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), "customer360-directory-"));
  file = join(path, "cursor-secret");
});
afterEach(() => rmSync(path, { recursive: true }));

function secret(): Uint8Array {
  const directory = openDataDirectory(path, { fresh: false });
  try {
    return directory.cursorSecret();
  } finally {
    directory.release();
  }
}

test("the secret is made once, kept, and its owner's alone", () => {
  const made = secret();
  expect(made).toHaveLength(32);
  expect([...secret()]).toEqual([...made]);
  expect([...readFileSync(file)]).toEqual([...made]);
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

test.each([0, 1, 31])("a secret of %d bytes, as a full disk leaves it, is made anew", (bytes) => {
  writeFileSync(file, Buffer.alloc(bytes));
  writeFileSync(`${file}.new`, "left by a crash");
  const made = secret();
  expect(made).toHaveLength(32);
  expect([...secret()]).toEqual([...made]);
});
