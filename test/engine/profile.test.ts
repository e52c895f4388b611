import { expect, test } from "vitest";
import { sharesOf } from "./profile.ts";

const node = (id: number, functionName: string, url: string, children: readonly number[] = []) => ({
  ...{ id, callFrame: { functionName, url }, children },
});

test("a sample belongs to the step of its innermost function that has one, and waiting belongs to none", () => {
  const shares = sharesOf({
    nodes: [
      node(1, "(root)", "", [2, 6, 7, 8]),
      node(2, "turn", "file:///app/dist/ingest/pipeline.js", [3]),
      node(3, "guarded", "file:///app/dist/store/mongo/documents/documents.js", [4, 5]),
      node(4, "serializeInto", "file:///app/node_modules/bson/lib/bson.cjs"),
      node(5, "test", ""),
      node(6, "(garbage collector)", ""),
      node(7, "(idle)", ""),
      node(8, "dispatch", ""),
    ],
    samples: [2, 3, 4, 5, 6, 7, 8],
    timeDeltas: [10, 10, 20, 30, 30, 500, 500],
  });
  expect(Object.fromEntries([...shares].filter(([, share]) => share > 0))).toEqual({
    "all else": 0.1,
    "making patches of documents": 0.4,
    "BSON and the store's driver": 0.2,
    "collecting garbage": 0.3,
  });
});

test("what texts of updates cost is not taken for what documents cost", () => {
  const shares = sharesOf({
    nodes: [node(1, "(root)", "", [2]), node(2, "whole", "file:///app/dist/store/document-text.js")],
    samples: [2],
    timeDeltas: [5],
  });
  expect(shares.get("texts of updates, and publishing them")).toBe(1);
});
