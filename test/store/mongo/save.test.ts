import { expect, test } from "vitest";
import { Customer360Error } from "../../../src/errors.ts";
import { save, type SaveParts } from "../../../src/store/mongo/save.ts";
import { EMPTY_SAVE, type Save } from "../../../src/store/store.ts";

const nothing = () => Promise.resolve();

/** What a save goes to, with counts that end as the test says, and the checkpoints that were stored. */
function partsOf(count: () => Promise<void>) {
  const stored: string[] = [];
  const ledger = {
    count,
    checkpoint: (all: Save["checkpoints"]) => {
      stored.push(...all.map(({ nextOffset }) => nextOffset));
      return Promise.resolve();
    },
    ...{ truncate: nothing, forgetCheckpoints: nothing },
    checkpoints: () => Promise.resolve([]),
    truncates: () => Promise.resolve({}),
    tallies: () => Promise.resolve([]),
  };
  const documents = { save: () => Promise.resolve(new Set<string>()), confirm: nothing };
  const pages = { save: () => Promise.resolve(new Set<string>()), excess: () => null };
  const parts = { ledger, documents, pages, quarantine: { put: nothing }, stampOf: () => "1" };
  return { parts: parts as unknown as SaveParts, stored };
}

const NOTES: Save = {
  ...EMPTY_SAVE,
  checkpoints: [{ topic: "t", partition: 0, nextOffset: "7" }],
  tallies: [{ table: "t", kind: "verdict", label: "applied", count: 7 }],
};

test("a checkpoint is not stored before the records it vouches for are counted", async () => {
  let counted = () => {};
  const { parts, stored } = partsOf(() => new Promise((resolve) => (counted = resolve)));
  const saved = save(parts, NOTES);
  await new Promise(setImmediate);
  expect(stored).toEqual([]);
  counted();
  await saved;
  expect(stored).toEqual(["7"]);
});

test("nor is it when they cannot be counted", async () => {
  const away = new Customer360Error("STORE_UNAVAILABLE", "away");
  const { parts, stored } = partsOf(() => Promise.reject(away));
  await expect(save(parts, NOTES)).rejects.toBe(away);
  expect(stored).toEqual([]);
});
