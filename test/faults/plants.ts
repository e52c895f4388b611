import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "../servers/folders.ts";

/** One replacement in the built program; the text has to be there exactly once. */
interface Replacement {
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

/** Faults of the harness's own, by name: what a run of faults is worth is what it finds. */
export const PLANTS: ReadonlyMap<string, readonly Replacement[]> = new Map([
  [
    "acknowledge-before-save",
    [
      {
        file: "ingest/pipeline.js",
        find: '    watch("read");\n',
        replace:
          '    for (const batch of batches)\n        acknowledgements.done(batch);\n    await save(shell, { folded: [], quarantine: [], relay: false });\n    watch("read");\n',
      },
      {
        file: "ingest/pipeline.js",
        find: '    watch("acknowledge");\n    for (const batch of batches)\n        acknowledgements.done(batch);\n',
        replace: '    watch("acknowledge");\n',
      },
    ],
  ],
  [
    "publish-without-outbox",
    [
      {
        file: "ingest/save.js",
        find: "after: carry(shell, input.customer, applied.customer),",
        replace:
          "after: applied.customer === input.customer ? input.customer : { ...applied.customer, outbox: [] },",
      },
      {
        file: "ingest/save.js",
        find: "updates.push(...updatesOf(after, shell.published.missing(after)));",
        replace: "updates.push(...updatesOf(after, shell.published.missing(part.applied.customer)));",
      },
    ],
  ],
  [
    "trust-offsets",
    [
      {
        file: "ingest/kafka/witness.js",
        find: "return found !== undefined && witnessOf(found) !== witness;",
        replace: "return false;",
      },
    ],
  ],
  [
    // What `$` passes over is noticed in two places, and read again from an explicit place: this takes both away as well.
    "redis-dollar",
    [
      {
        file: "updates/redis/follower.js",
        find: '"STREAMS", stream, entryId(place)]',
        replace: '"STREAMS", stream, "$"]',
      },
      {
        file: "updates/redis/follower.js",
        find: "from < 0 ? [] : this.#kept.slice(from, from + limit)",
        replace: "this.#kept.slice(Math.max(0, from), Math.max(0, from) + limit)",
      },
      { file: "updates/redis/entry.js", find: "if (first > seq + 1)", replace: "if (false)" },
    ],
  ],
]);

const root = join(import.meta.dirname, "../..");

/** The folder of the built program to run: as it is, or a copy with a fault in it. */
export function program(plant: string | null): string {
  const dist = join(root, "dist");
  if (plant === null) return dist;
  const folder = temporaryFolder("faults-plant");
  const copy = join(folder, "dist");
  mkdirSync(copy);
  cpSync(dist, copy, { recursive: true });
  cpSync(join(root, "package.json"), join(folder, "package.json"));
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  for (const { file, find, replace } of PLANTS.get(plant) ?? []) {
    const path = join(copy, file);
    const parts = readFileSync(path, "utf8").split(find);
    if (parts.length !== 2) throw new Error(`${plant}: its text is ${parts.length - 1} times in ${file}`);
    writeFileSync(path, parts.join(replace));
  }
  return copy;
}
