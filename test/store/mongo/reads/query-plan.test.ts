import { expect, test } from "vitest";
import { scannedBy } from "../../../../src/store/mongo/reads/query-plan.ts";

test("a plan along an index names it, however deep it lies", () => {
  const plan = {
    stage: "LIMIT",
    inputStage: { stage: "FETCH", inputStage: { stage: "IXSCAN", indexName: "listed_1__id_1" } },
  };
  expect(scannedBy(plan)).toEqual({ indexes: ["listed_1__id_1"], collections: 0 });
});

test("a plan that reads the collection is told, also when another shard goes along an index", () => {
  const plan = {
    stage: "SHARD_MERGE",
    shards: [
      { winningPlan: { stage: "COLLSCAN" } },
      { winningPlan: { stage: "FETCH", inputStage: { stage: "IXSCAN", indexName: "a_1" } } },
    ],
  };
  expect(scannedBy(plan)).toEqual({ indexes: ["a_1"], collections: 1 });
});

test("an answer that is no plan says nothing", () => {
  expect(scannedBy(undefined)).toBeNull();
  expect(scannedBy({ ok: 1 })).toBeNull();
});
